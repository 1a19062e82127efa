import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { formatByteSize } from '../../domain/byte-size.ts'

/** A folder of the demo's own, removed with all that is in it unless it is kept. */
export type DemoFolder = AsyncDisposable & { readonly path: string }

/** Where temporary files may be large: the system's temporary folder is in memory on some machines. */
const LARGE_TEMPORARY_FOLDER = '/var/tmp'

/** Makes it in `parent`, or where temporary files go. Throws TARGET_MISSING, TARGET_TOO_SMALL, TARGET_UNSUITABLE. */
export async function openDemoFolder(wanted: {
  readonly parent: string | undefined
  readonly neededBytes: number
  readonly keep: boolean
}): Promise<DemoFolder> {
  const { parent, neededBytes } = wanted
  const candidates = parent === undefined ? [tmpdir(), LARGE_TEMPORARY_FOLDER] : [resolve(parent)]
  const rooms = await Promise.all(candidates.map(freeBytes))
  const at = rooms.findIndex((bytes) => bytes !== null && bytes >= neededBytes)
  const chosen = candidates[at]
  if (chosen === undefined) throw noRoom(candidates[0] ?? '', rooms[0] ?? null, neededBytes)
  const path = await makeFolder(chosen)
  const dispose = async (): Promise<void> => {
    if (!wanted.keep) await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
  return { path, [Symbol.asyncDispose]: dispose }
}

/** The bytes of all files in a folder. */
export async function folderBytes(path: string): Promise<number> {
  let sum = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size
  }
  return sum
}

async function freeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    return null
  }
}

async function makeFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'icecore-demo-'))
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const message = `Cannot run the demo in "${parent}": the system reports ${reason}, required is a folder that may be written to`
    throw new BackupError(ErrorCode.TargetUnsuitable, message, { cause, data: { path: parent } })
  }
}

function noRoom(path: string, free: number | null, neededBytes: number): BackupError {
  const needed = formatByteSize(neededBytes)
  if (free === null) {
    const message = `Cannot run the demo in "${path}": there is no such folder, required is one with ${needed} free`
    return new BackupError(ErrorCode.TargetMissing, message, { data: { path } })
  }
  const message = `Cannot run the demo in "${path}": ${formatByteSize(free)} are free, required are ${needed}; --folder names another place, --size a smaller volume`
  return new BackupError(ErrorCode.TargetTooSmall, message, { data: { path, free, neededBytes } })
}
