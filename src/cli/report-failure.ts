import { inspect } from 'node:util'
import { BackupError } from '../domain/backup-error.ts'
import { Cancelled, isCancellation } from './cancelled.ts'
import { ExitCode, exitCodeOf } from './exit-code.ts'
import { hintFor } from './hint.ts'
import type { Terminal } from './terminal.ts'

export type FailureStyle = { readonly json: boolean; readonly verbose: boolean }

/** Says what failed and what to do next, and gives the exit code. Nothing below cli/ prints or picks one. */
export async function reportFailure(
  error: unknown,
  terminal: Terminal,
  style: FailureStyle,
): Promise<ExitCode> {
  const failure = describeFailure(error)
  if (style.json) {
    const { code, message, data } = failure
    await terminal.output.write(`${JSON.stringify({ error: { code, message, data } })}\n`)
    if (failure.exitCode !== ExitCode.Bug) return failure.exitCode
  }
  const { paint } = terminal.messages
  await terminal.messages.write(`${paint('red', 'icecore:')} ${failure.message}\n`)
  if (failure.hint !== undefined) await terminal.messages.write(`${paint('dim', failure.hint)}\n`)
  if (style.verbose || failure.exitCode === ExitCode.Bug) {
    await terminal.messages.write(`${paint('dim', stackOf(error))}\n`)
  }
  return failure.exitCode
}

type Failure = {
  readonly code: string
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
  readonly hint: string | undefined
  readonly exitCode: ExitCode
}

function describeFailure(error: unknown): Failure {
  if (error instanceof BackupError) {
    const { code, message, data } = error
    return { code, message, data, hint: hintFor(error), exitCode: exitCodeOf(code) }
  }
  const message = error instanceof Error ? error.message : inspect(error)
  if (isCancellation(error)) {
    return {
      code: 'CANCELLED',
      message,
      data: {},
      hint: error instanceof Cancelled ? error.hint : undefined,
      exitCode: ExitCode.Cancelled,
    }
  }
  return {
    code: 'BUG',
    message: `Unexpected failure: ${message}`,
    data: {},
    hint: 'This is a bug in icecore: please report it with the lines below',
    exitCode: ExitCode.Bug,
  }
}

/** The stack, and those of the causes, which say what the system reported. */
function stackOf(error: unknown): string {
  const lines: string[] = []
  const causesMax = 8 // A chain of causes may be a ring.
  for (let at = error, depth = 0; at !== undefined && depth < causesMax; depth += 1) {
    lines.push(
      `${depth === 0 ? '' : 'caused by '}${at instanceof Error ? (at.stack ?? at.message) : inspect(at)}`,
    )
    at = at instanceof Error ? at.cause : undefined
  }
  return lines.join('\n')
}
