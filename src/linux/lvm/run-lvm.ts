import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { findProgram } from '../find-program.ts'
import { readProgramOutput } from '../program-output.ts'

/** LVM waits for other commands that change the same group. */
const TIMEOUT_MS = 120_000
/** A report of 20,000 volumes is a tenth of this. */
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024

const ENVIRONMENT = {
  LC_ALL: 'C',
  // We hold devices open; LVM would complain of each descriptor.
  LVM_SUPPRESS_FD_WARNINGS: '1',
}

/** Runs one LVM command and gives what it printed. Throws PROGRAM_MISSING, or `code` with what LVM said. */
export async function runLvm(
  words: readonly string[],
  how: { readonly action: string; readonly code: ErrorCode; readonly signal: AbortSignal },
): Promise<string> {
  return await runTool('lvm', words, { ...how, package: 'lvm2' })
}

/** As `runLvm`, for device-mapper's own tool. */
export async function runDmsetup(
  words: readonly string[],
  how: { readonly action: string; readonly code: ErrorCode; readonly signal: AbortSignal },
): Promise<string> {
  return await runTool('dmsetup', words, { ...how, package: 'dmsetup' })
}

async function runTool(
  name: string,
  words: readonly string[],
  how: {
    readonly action: string
    readonly code: ErrorCode
    readonly signal: AbortSignal
    readonly package: string
  },
): Promise<string> {
  const program = findProgram(name, process.env['PATH'])
  if (program === null) {
    const message = `Cannot ${how.action}: there is no program "${name}", required is the package ${how.package}`
    throw new BackupError(ErrorCode.ProgramMissing, message)
  }
  const call = {
    program,
    arguments: words,
    environment: ENVIRONMENT,
    timeoutMs: TIMEOUT_MS,
    outputMaxBytes: OUTPUT_MAX_BYTES,
  }
  how.signal.throwIfAborted()
  // One that is killed half-way may leave a volume suspended, and one that is not waited for may go on.
  const output = await readProgramOutput(call, new AbortController().signal)
  how.signal.throwIfAborted()
  if (output.ok) return output.text
  const message = `Cannot ${how.action}: ${name} ${words[0] ?? ''} failed, ${output.reason}`
  throw new BackupError(how.code, message, { data: { program: name } })
}
