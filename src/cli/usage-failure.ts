import type { CommanderError } from 'commander'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'

/** Wrong usage of one command, in the program's own grammar; `command` is what to ask for help. */
export function usageFailure(
  command: string,
  reason: string,
  data: Readonly<Record<string, unknown>> = {},
): BackupError {
  return new BackupError(ErrorCode.UsageWrong, `Cannot run "${command}": ${reason}`, {
    data: { command, ...data },
  })
}

/** Translates what the parser found wrong: "error: unknown option '--rep'\n(Did you mean --repo?)". */
export function usageFailureOf(error: CommanderError, command: string): BackupError {
  const [first = '', second = ''] = error.message.replace(/^error: /, '').split('\n')
  const suggestion = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(second)?.[1]
  const reason = first
    .replaceAll("'", '"')
    .replace(/^option "(?:-\w, )?(--[\w-]+) <(\w+)>" argument missing$/, 'option "$1" needs a $2')
    .replace(/^required option "(--[\w-]+) <(\w+)>" not specified$/, 'option "$1 $2" is required')
    .replace(/^missing required argument "(\w+)"$/, 'argument $1 is missing')
    .replace(/^too many arguments.*Expected (\d+) arguments? but got (\d+).*$/, tooMany)
  return usageFailure(
    command,
    reason,
    suggestion === undefined ? {} : { suggestion: suggestion.replaceAll(', ', ' or ') },
  )
}

function tooMany(_whole: string, expected: string, found: string): string {
  return `${found} ${found === '1' ? 'argument is' : 'arguments are'} given, expected ${expected === '0' ? 'none' : expected}`
}
