import { runAgent } from '../../agent/run-agent.ts'
import { agentStateFolder } from '../../host/agent-state-folder.ts'
import type { AGENT_RUN } from '../commands/agent-run.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { onHangUp } from '../signals.ts'
import { VERSION } from '../version.ts'

/** Serves until it is told to stop, which is how it is meant to end. */
export async function runAgentRun({
  options,
  settings,
  signal,
  clock,
  randomness,
  progress,
}: InvocationOf<typeof AGENT_RUN>): Promise<CommandResult> {
  const folder = options.folder ?? settings.agentFolder
  await runAgent({
    folder,
    stateFolder: agentStateFolder(process.env),
    version: VERSION,
    clock,
    randomness,
    signal,
    notice: (message) => progress({ event: 'notice', message }),
    onReload: onHangUp,
  })
  return { json: { folder }, text: '', exitCode: ExitCode.Done }
}
