import type { HookRecord } from '../../domain/ledger.ts'
import type { GuardedEnd } from './freeze-guard.ts'
import { redactSecrets } from './redact-secrets.ts'

/** What the ledger keeps of the output; the end says most. */
const EXCERPT_LENGTH_MAX = 2048
const PROGRAM_LENGTH_MAX = 4096

/** What the ledger says of a program that was run. `secrets` are the variables of icecore itself. */
export function hookRecord(
  stage: HookRecord['stage'],
  ran: { readonly command: readonly string[]; readonly end: GuardedEnd },
  secrets: Readonly<Record<string, string | undefined>>,
): HookRecord {
  const { command, end } = ran
  return {
    stage,
    program: (command[0] ?? '').slice(0, PROGRAM_LENGTH_MAX),
    durationMs: end.durationMs,
    exitCode: end.exitCode,
    failure: failureOf(end),
    // Cut afterwards: half a secret would not be known as one.
    output: printable(redactSecrets(end.output, secrets)).slice(-EXCERPT_LENGTH_MAX),
  }
}

function failureOf({ failure, exitCode, signal }: GuardedEnd): string | null {
  if (failure !== null) return failure
  if (exitCode === 0) return null
  return exitCode === null ? `it was ended by ${signal ?? 'a signal'}` : `it ended with exit code ${exitCode}`
}

/** Nothing that could move the cursor of a terminal that shows it. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n\t]/gu, '\u{fffd}').toWellFormed()
}

/** The last line of its output, to be said beside the failure; null when it wrote nothing. */
export function lastLine(record: HookRecord): string | null {
  const line = record.output.trimEnd().split('\n').at(-1)?.trim() ?? ''
  return line === '' ? null : line.slice(-200)
}
