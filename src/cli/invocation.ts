import type { Clock } from '../domain/clock.ts'
import type { ProgressListener } from '../domain/progress.ts'
import type { Randomness } from '../domain/randomness.ts'
import type { ArgumentValues, CommandDefinition, OptionValues } from './command.ts'
import type { ExitCode } from './exit-code.ts'
import type { PasswordPurpose } from './password.ts'
import type { Settings } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** Everything a handler may use. It prints nothing and reads no global: it returns its result. */
export type Invocation<Arguments = unknown, Options = unknown> = {
  readonly arguments: Arguments
  readonly options: Options
  /** What options, environment and configuration files say together. */
  readonly settings: Settings
  /** The repository of the settings; throws USAGE_WRONG when there is none. */
  readonly requireRepository: () => string
  /** Asks where the settings say, or the person; throws PASSWORD_MISSING. `create` has a person type it twice. */
  readonly askPassword: (purpose: PasswordPurpose) => Promise<string>
  /** For widths, colours and questions; results go into the returned record. */
  readonly terminal: Terminal
  readonly progress: ProgressListener
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly randomness: Randomness
}

/** The invocation that belongs to one definition. */
export type InvocationOf<Definition extends CommandDefinition> = Invocation<
  ArgumentValues<Definition['arguments']>,
  OptionValues<Definition['options']>
>

/** What a command has to say; only the program prints it. */
export type CommandResult = {
  /** The one document of `--json`. */
  readonly json: unknown
  /** The same document as text in pieces, where it may be too long to be held; then `json` is not printed. */
  readonly jsonPieces?: AsyncIterable<string>
  /** For people. Made only when it is printed; ends without a newline. */
  readonly text: string | (() => string)
  /** Printed instead of `text`, as it is, where it may be too long to be held; bytes for content that is no text. */
  readonly pieces?: AsyncIterable<string | Uint8Array>
  readonly exitCode: ExitCode
  /** Instead of `exitCode`, where it is known only when all pieces were printed. */
  readonly finalExitCode?: () => ExitCode
}

export type Handler<Definition extends CommandDefinition> = (
  invocation: InvocationOf<Definition>,
) => Promise<CommandResult>

/** A definition and how to run it. */
export type Command = {
  readonly definition: CommandDefinition
  readonly run: (invocation: Invocation) => Promise<CommandResult>
}

/** Joins a definition to its handler, which is loaded only when the command is run. */
export function command<const Definition extends CommandDefinition>(
  definition: Definition,
  load: () => Promise<Handler<Definition>>,
): Command {
  return {
    definition,
    run: async (invocation) => {
      const handler = await load()
      // The values were read by this very definition, so that they have its types.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return await handler(invocation as InvocationOf<Definition>)
    },
  }
}
