import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { readProgramOutput } from '../../linux/program-output.ts'

/** The programs of e2fsprogs, which make and change an ext4 file system in a file, without root. */
export type FileSystemTools = {
  readonly mke2fs: string
  readonly debugfs: string
  /** Null where it is missing: then nobody else looks at what was restored. */
  readonly e2fsck: string | null
}

/** debugfs repeats every request. */
const LIMITS = { timeoutMs: 10 * 60_000, outputMaxBytes: 16 * 1024 * 1024 }

/** Throws PROGRAM_MISSING that names the package. */
export function findFileSystemTools(find: (name: string) => string | null): FileSystemTools {
  const required = (name: string): string => {
    const found = find(name)
    if (found !== null) return found
    const message = `Cannot make a volume for the demo: there is no program "${name}", required is the package e2fsprogs: apt-get install e2fsprogs`
    throw new BackupError(ErrorCode.ProgramMissing, message, { data: { program: name } })
  }
  return { mke2fs: required('mke2fs'), debugfs: required('debugfs'), e2fsck: find('e2fsck') }
}

/** A program and its words, to be shown as they are run. */
export type ToolCall = { readonly program: string; readonly arguments: readonly string[] }

/** Makes an image file with an ext4 file system that holds what is in `folder`. */
export function makeCall(
  tools: FileSystemTools,
  what: { readonly folder: string; readonly path: string; readonly sizeBytes: number },
): ToolCall {
  const size = `${Math.floor(what.sizeBytes / 2 ** 20)}M`
  const words = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-d', what.folder, what.path, size]
  return { program: tools.mke2fs, arguments: words }
}

/** Has debugfs carry out the requests of `file`, one a line, on a file system that nobody mounted. */
export function changeCall(
  tools: FileSystemTools,
  what: { readonly path: string; readonly file: string },
): ToolCall {
  return { program: tools.debugfs, arguments: ['-w', '-f', what.file, what.path] }
}

/** Throws SOURCE_UNSUITABLE when the program fails or complains. */
export async function runTool(call: ToolCall, signal: AbortSignal): Promise<void> {
  const output = await readProgramOutput({ ...call, ...LIMITS }, signal)
  if (!output.ok) throw failure(call, output.reason)
  // debugfs ends with 0 whatever happened, and complains after a line with its version.
  const [complaint] = output.messages.split('\n').filter((line) => line !== '' && !/^debugfs \d/.test(line))
  if (complaint !== undefined) throw failure(call, `it said "${complaint.slice(0, 200)}"`)
}

/** Whether e2fsck finds nothing to repair; it changes nothing. Null without e2fsck. */
export async function isFileSystemClean(
  tools: FileSystemTools,
  path: string,
  signal: AbortSignal,
): Promise<boolean | null> {
  if (tools.e2fsck === null) return null
  const call = { program: tools.e2fsck, arguments: ['-fn', path], ...LIMITS }
  return (await readProgramOutput(call, signal)).ok
}

function failure(call: ToolCall, reason: string): BackupError {
  const { program } = call
  const message = `Cannot make a volume for the demo with "${program}": ${reason}`
  return new BackupError(ErrorCode.SourceUnsuitable, message, { data: { program } })
}
