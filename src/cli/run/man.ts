import { COMMANDS } from '../command-table.ts'
import type { MAN } from '../commands/man.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { manPage } from '../man-page.ts'
import { VERSION } from '../version.ts'

/** Prints icecore(1). */
export function runMan(_invocation: InvocationOf<typeof MAN>): Promise<CommandResult> {
  const page = manPage(
    COMMANDS.map((each) => each.definition),
    VERSION,
  )
  return Promise.resolve({ json: { page }, text: page, exitCode: ExitCode.Done })
}
