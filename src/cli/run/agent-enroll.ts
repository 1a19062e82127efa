import { resolve } from 'node:path'
import { enrolAgentFolder } from '../../host/enrol-agent-folder.ts'
import { parseEnrolmentToken } from '../../rpc/enrolment-token.ts'
import type { AGENT_ENROLL } from '../commands/agent-enrolment.ts'
import { askEnrolmentToken } from '../enrolment-token-input.ts'
import { ExitCode } from '../exit-code.ts'
import { dateOf, instantOf } from '../instant-text.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'

/** Takes an invitation for this host. */
export async function runAgentEnroll(invocation: InvocationOf<typeof AGENT_ENROLL>): Promise<CommandResult> {
  const { options, settings, terminal, signal, clock, progress } = invocation
  const folder = resolve(options.folder ?? settings.agentFolder)
  const notice = (message: string): void => progress({ event: 'notice', message })
  const text = await askEnrolmentToken({ file: options.tokenFile, notice }, terminal, signal)
  const token = parseEnrolmentToken(text)
  const order = { mover: invocation.arguments.mover, token, replaces: options.replace, clock }
  const { name, serial, endsAtMs } = await enrolAgentFolder(folder, order, signal)
  return {
    json: { name, serial, endsAt: instantOf(endsAtMs), folder },
    text: [
      `Enrolled as ${name}; the certificate is good until ${dateOf(endsAtMs)}, and is renewed by backups before`,
      `Say in ${folder}/agent.yaml what may be frozen, and start the agent with \`icecore agent run\``,
    ].join('\n'),
    exitCode: ExitCode.Done,
  }
}
