import { constants, type FileHandle, mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { BackupError } from '../domain/backup-error.ts'
import { errnoMeaning, errnoOf } from '../domain/errno.ts'
import { lockHost } from '../linux/host-lock.ts'

/** Nobody but the owner. */
const OWNER_FILE = 0o600
const OWNER_FOLDER = 0o700
const OF_OTHERS = 0o077
/** Keys, certificates and lists are far smaller. */
const FILE_BYTES_MAX = 2 * 1024 * 1024

/** Makes a folder that only its owner may look into, and those above it. */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: OWNER_FOLDER })
}

/**
 * Writes a file that only its owner may read, so that after a crash there is the old one or the new one: under another name,
 * synced, renamed, the folder synced.
 */
export async function writePrivateFile(folder: string, name: string, content: string): Promise<void> {
  const temporary = join(folder, `.${name}.${process.pid}.tmp`)
  // What a killed process of the same number left behind.
  await rm(temporary, { force: true })
  try {
    {
      await using file = await open(temporary, 'wx', OWNER_FILE)
      // The mode that a file is made with loses what the process's mask forbids, and nothing may be lost.
      await file.chmod(OWNER_FILE)
      await file.writeFile(content)
      await file.sync()
    }
    await rename(temporary, join(folder, name))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
}

export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  await handle.sync()
}

/** Whoever changes several files of the folder, or one after reading it, does so alone on this host. */
export async function lockFolder(folder: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const place = createHash('sha256').update(await realpath(folder).catch(() => folder))
  return await lockHost(`folder-${place.digest('hex').slice(0, 32)}`, signal)
}

export type PrivateFile = {
  readonly text: string
  /** Others may read or change it. */
  readonly isOpenToOthers: boolean
}

/** A file that is small; undefined when there is none. */
export async function readPrivateFile(folder: string, name: string): Promise<PrivateFile | undefined> {
  let file: FileHandle
  try {
    file = await open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
  await using handle = file
  const { mode, size } = await handle.stat()
  if (size > FILE_BYTES_MAX) throw new RangeError(`it is ${size} bytes long, more than ${FILE_BYTES_MAX}`)
  return { text: await handle.readFile('utf8'), isOpenToOthers: (mode & OF_OTHERS) !== 0 }
}

/**
 * The text of a file of ours; undefined when there is none. `refuse` makes the error of what is in the way: it cannot be read, or
 * it is a secret and others can.
 */
export async function textOfPrivateFile(
  folder: string,
  { name, isSecret }: { readonly name: string; readonly isSecret: boolean },
  refuse: (what: string, cause?: unknown) => BackupError,
): Promise<string | undefined> {
  let file: PrivateFile | undefined
  try {
    file = await readPrivateFile(folder, name)
  } catch (cause) {
    const reason = errnoMeaning(cause) ?? (cause instanceof Error ? cause.message : String(cause))
    throw refuse(`"${name}" cannot be read: ${reason}`, cause)
  }
  if (isSecret && file?.isOpenToOthers === true) {
    throw refuse(`"${name}" can be read by others, required is a file of mode 0600`)
  }
  return file?.text
}
