import { COMMANDS, FAMILIES } from '../command-table.ts'
import type { COMPLETION } from '../commands/completion.ts'
import { completionScript } from '../completion/completion-script.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'

/** Prints the completion script of a shell. */
export function runCompletion(invocation: InvocationOf<typeof COMPLETION>): Promise<CommandResult> {
  const { shell } = invocation.arguments
  const definitions = COMMANDS.map((each) => each.definition)
  const script = completionScript(shell, { definitions, families: FAMILIES })
  return Promise.resolve({ json: { shell, script }, text: script, exitCode: ExitCode.Done })
}
