import { constants } from 'node:fs'
import { link, lstat, open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ErrorCode } from '../domain/backup-error.ts'
import { describeUse, deviceUse } from './device-use.ts'
import { errnoOf } from '../domain/errno.ts'
import type { LocalTarget, LocalTargetOptions } from './local-target.ts'
import { syscalls } from './syscalls.ts'
import { targetError, targetOpenError } from './target-error.ts'

const PARTIAL_SUFFIX = '.icecore-partial'
/** A volume's content is for its owner's eyes. */
const NEW_FILE_MODE = 0o600
const PERMISSION_BITS = 0o7777
const FILE_SECTOR_BYTES = 512

export type NewFileOptions = LocalTargetOptions & {
  /** The file that `commit()` replaces; null: there is none, and there must be none then. */
  readonly replaced: { readonly realPath: string; readonly mode: number } | null
}

/** Makes `PATH.icecore-partial`, which gets its name by `commit()`, or is removed. */
export async function openNewFile(path: string, options: NewFileOptions): Promise<LocalTarget> {
  const finalPath = options.replaced?.realPath ?? (await freePath(path))
  const partialPath = `${finalPath}${PARTIAL_SUFFIX}`
  const handle = await openPartial(path, partialPath)
  let isCommitted = false
  const removeAndClose = async (): Promise<void> => {
    if (!isCommitted) await rm(partialPath, { force: true })
    await handle.close()
  }
  try {
    await handle.truncate(0) // A killed run may have left some.
    await handle.truncate(options.sizeBytes)
    if (options.replaced !== null) await handle.chmod(options.replaced.mode & PERMISSION_BITS)
  } catch (error) {
    await removeAndClose()
    throw error
  }
  return fileTarget(handle, {
    path,
    workingPath: partialPath,
    sizeBytes: options.sizeBytes,
    blank: true,
    commit: async () => {
      await handle.sync()
      await (options.replaced === null ? renameToFree : rename)(partialPath, finalPath)
      isCommitted = true
      await syncFolder(dirname(finalPath))
    },
    dispose: removeAndClose,
  })
}

/** Opens the existing file itself and gives it the image's size. */
export async function openFileInPlace(
  names: { readonly path: string; readonly realPath: string },
  options: LocalTargetOptions,
): Promise<LocalTarget> {
  const used = describeUse(await deviceUse(names.realPath))
  if (used !== null) {
    throw targetError(ErrorCode.TargetInUse, names.path, {
      found: `${used}, required is a file that nothing uses`,
    })
  }
  const handle = await open(names.realPath, constants.O_RDWR)
  try {
    const { size } = await handle.stat()
    if (size !== options.sizeBytes) await handle.truncate(options.sizeBytes)
  } catch (error) {
    await handle.close()
    throw error
  }
  return fileTarget(handle, {
    path: names.path,
    workingPath: names.realPath,
    sizeBytes: options.sizeBytes,
    blank: false,
    commit: async () => {
      await handle.sync()
      await syncFolder(dirname(names.realPath))
    },
    dispose: () => handle.close(),
  })
}

type FileTargetParts = Pick<LocalTarget, 'path' | 'workingPath' | 'sizeBytes' | 'blank' | 'commit'> & {
  dispose(): Promise<void>
}

function fileTarget(handle: FileHandle, parts: FileTargetParts): LocalTarget {
  return {
    path: parts.path,
    workingPath: parts.workingPath,
    sizeBytes: parts.sizeBytes,
    blank: parts.blank,
    type: 'file',
    sectorSizeBytes: FILE_SECTOR_BYTES,
    fd: handle.fd,
    direct: false,
    commit: async () => {
      try {
        await parts.commit()
      } catch (error) {
        throw targetOpenError(parts.path, error)
      }
    },
    [Symbol.asyncDispose]: () => parts.dispose(),
  }
}

/** The real path of a file that does not exist yet, in a folder that does and can hold files. */
async function freePath(path: string): Promise<string> {
  const folder = await realpath(dirname(path))
  const isDeviceFolder = `${folder}/`.startsWith('/dev/') && !`${folder}/`.startsWith('/dev/shm/')
  if (isDeviceFolder) {
    throw targetError(ErrorCode.TargetMissing, path, {
      found: 'there is no such device, required is an existing block device or a file outside /dev',
    })
  }
  const finalPath = join(folder, basename(path))
  if (await isThere(finalPath)) {
    throw targetError(ErrorCode.TargetUnsuitable, path, {
      found: 'it is a symbolic link to nothing, required is a block device or a file',
    })
  }
  return finalPath
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

/** Opens the partial file, new or left by a killed run, and locks it against a second restore to the same name. */
async function openPartial(path: string, partialPath: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
  const handle = await open(partialPath, flags, NEW_FILE_MODE)
  // Between open and lock the other restore may have ended and renamed or removed what was opened here.
  if (isLockedByMe(handle.fd) && (await isSameFile(handle, partialPath))) return handle
  await handle.close()
  throw targetError(ErrorCode.TargetInUse, path, {
    found: 'another restore is writing it, required is a file that nothing uses',
  })
}

function isLockedByMe(fd: number): boolean {
  try {
    return syscalls()?.tryLock(fd) ?? true
  } catch {
    return true // A file system without locks: two restores to one name are then the user's care.
  }
}

async function isSameFile(handle: FileHandle, path: string): Promise<boolean> {
  try {
    const [mine, there] = await Promise.all([handle.stat({ bigint: true }), stat(path, { bigint: true })])
    return mine.dev === there.dev && mine.ino === there.ino
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

/** Renames without replacing: a link fails where a name exists, a rename does not. */
async function renameToFree(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' || (await isThere(to))) throw error
    await rename(from, to) // A file system without links.
    return
  }
  await rm(from)
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
