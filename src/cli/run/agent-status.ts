import { localStatus } from '../../agent/local-status.ts'
import { agentStateFolder } from '../../host/agent-state-folder.ts'
import { agentText, type AgentAddress } from '../agent-source/agent-address.ts'
import { agentStatusReport, type KnownOfAgent } from '../agent-status-report.ts'
import type { AGENT_STATUS } from '../commands/agent-status.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'

type StatusInvocation = InvocationOf<typeof AGENT_STATUS>

export async function runAgentStatus(invocation: StatusInvocation): Promise<CommandResult> {
  const { agent } = invocation.options
  const known = agent === undefined ? await knownHere(invocation) : await knownThere(invocation, agent)
  const { paint } = invocation.terminal.output
  return agentStatusReport(known, (title) => paint('bold', title))
}

async function knownHere(invocation: StatusInvocation): Promise<KnownOfAgent> {
  const { options, settings, signal } = invocation
  const folder = options.folder ?? settings.agentFolder
  const stateFolder = agentStateFolder(process.env)
  const status = await localStatus({ ...invocation, folder, stateFolder }, signal)
  const { certificate, configuration, held, calls, trouble } = status
  return {
    name: certificate?.name ?? null,
    place: `in ${folder}`,
    version: null,
    listen: configuration?.listen ?? null,
    certificateEndsAtMs: certificate?.endsAtMs ?? null,
    sources: configuration?.sources ?? [],
    held,
    calls,
    trouble,
  }
}

async function knownThere(invocation: StatusInvocation, address: AgentAddress): Promise<KnownOfAgent> {
  const { options, settings, signal } = invocation
  const { connectToAgent } = await import('../agent-source/connect.ts')
  const authorityFolder = options.authority ?? settings.authorityFolder
  await using linked = await connectToAgent({ ...invocation, authorityFolder }, address)
  const status = await linked.agent.status(signal)
  return {
    name: status.host,
    place: `at ${agentText(address)}`,
    version: status.version,
    listen: null,
    certificateEndsAtMs: status.certificateEndsAtMs,
    sources: await linked.agent.listSources(signal),
    held: status.held,
    calls: null,
    trouble: [],
  }
}
