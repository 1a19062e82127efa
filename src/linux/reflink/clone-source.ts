import { constants } from 'node:fs'
import { open, readFile, realpath, stat, type FileHandle } from 'node:fs/promises'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { systemClock } from '../../domain/clock.ts'
import { cloneCalls } from '../clone-calls.ts'
import { deviceNumberOf } from '../device-number.ts'
import type { CloneSource, SourceVersion } from '../../domain/file-clone.ts'
import { errnoMeaning, errnoOf } from '../../domain/errno.ts'
import { fiemapOf } from '../fiemap.ts'
import { parseMountInfo, type Mount } from '../mounts.ts'
import { nativeAbsence } from '../native.ts'
import { kindOf } from '../path-kind.ts'
import { CloneFolder } from './clone-folder.ts'
import { requireCalls } from './kept-clone.ts'
import { makeClone } from './unnamed-clone.ts'

/** What makes clones that hold their blocks. */
export const CLONING_FILE_SYSTEMS: ReadonlySet<string> = new Set(['xfs', 'btrfs'])
/** Before Linux 6.13 two writes within one tick, of 10 ms at most, leave the same time. */
const TICK_MS_MAX = 20
/** Of Btrfs; a file has no more extents than blocks. */
const BLOCK_BYTES_MIN = 4096

/** Throws SOURCE_MISSING, SOURCE_UNREADABLE, SOURCE_UNSUITABLE; `clone()` also NO_ROOM_TO_FREEZE, FREEZE_FAILED. */
export async function openCloneSource(named: string): Promise<CloneSource> {
  requireMeans(named)
  const { path, handle } = await openFile(named)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => handle.close())
  const mount = await mountOf(handle)
  if (mount === null || !CLONING_FILE_SYSTEMS.has(mount.fileSystem)) {
    const found =
      mount === null ? 'on an unknown file system' : `on ${mount.fileSystem} at "${mount.mountPoint}"`
    throw unsuitable(
      named,
      `it lies ${found}, required is a file system that shares blocks between files: XFS or Btrfs`,
    )
  }
  if (mount.fileSystem === 'xfs' && !requireCalls().sharesBlocks(handle.fd)) throw unshared(named)
  if (mount.mountPoint === path) {
    throw unsuitable(
      named,
      'the file is mounted by itself, required is the mount point of its file system, where clones are kept',
    )
  }
  const { size } = await handle.stat()
  if (size === 0) throw unsuitable(named, 'it holds 0 bytes, required is a file with content')
  const folder = new CloneFolder(mount)
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      await folder.removeIfEmpty()
      throw cloneError(path, cause)
    }
  }
  const opened = stack.move()
  return {
    path,
    flush: () => attempt(() => handle.datasync()),
    version: () => versionOf(handle),
    room: () => folder.room(),
    extentCount: (countMax, signal) => countExtents(handle, countMax, signal),
    clone: async () => {
      const made = await attempt(() => makeClone(handle, folder))
      return { ...made, publish: (name, facts) => attempt(() => made.publish(name, facts)) }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Counts no further than just above `countMax`. */
async function countExtents(handle: FileHandle, countMax: number, signal: AbortSignal): Promise<number> {
  const known = requireCalls().extentCount(handle.fd)
  const { size } = await handle.stat()
  if (known > 0 || size <= countMax * BLOCK_BYTES_MIN) return known
  let count = 0
  for await (const batch of fiemapOf(handle.fd, { offset: 0, length: size }, signal)) {
    count += batch.length
    if (count > countMax) break
  }
  return count
}

function requireMeans(path: string): void {
  if (cloneCalls() === null) throw unsuitable(path, `no clone can be made: ${nativeAbsence()}`)
  if (process.geteuid?.() === 0) return
  throw unsuitable(path, 'this user cannot keep a clone that nobody changes, required is root')
}

async function openFile(named: string): Promise<{ readonly path: string; readonly handle: FileHandle }> {
  try {
    const path = await realpath(named)
    // Before it is opened: to open a named pipe waits for a writer.
    const stats = await stat(path, { bigint: true })
    if (!stats.isFile()) throw unsuitable(named, `it is ${kindOf(stats)}, required is a file`)
    return { path, handle: await open(path, constants.O_RDONLY) }
  } catch (cause) {
    const meaning = errnoMeaning(cause)
    if (meaning === null) throw cause
    const isMissing = errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR'
    const code = isMissing ? ErrorCode.SourceMissing : ErrorCode.SourceUnreadable
    const found = isMissing ? 'it does not exist, required is a file' : meaning
    throw new BackupError(code, `Cannot freeze "${named}": ${found}`, { data: { path: named }, cause })
  }
}

/** The kernel says through which mount a file was opened: its path alone does not, where mounts hide one another. */
async function mountOf(handle: FileHandle): Promise<Mount | null> {
  const info = await readFile(`/proc/self/fdinfo/${handle.fd}`, 'utf8')
  const id = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1]
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  const line = lines.find((one) => one.startsWith(`${id} `))
  return line === undefined ? null : (parseMountInfo(line)[0] ?? null)
}

async function versionOf(handle: FileHandle): Promise<SourceVersion> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true })
  const nowMs = systemClock.now().getTime()
  return {
    text: `${deviceNumberOf(dev)}:${ino}:${size}:${mtimeNs}:${ctimeNs}`,
    isSettled: nowMs - Number(ctimeNs / 1_000_000n) > TICK_MS_MAX,
  }
}

function cloneError(path: string, cause: unknown): unknown {
  const errno = errnoOf(cause)
  if (errno === null || cause instanceof BackupError) return cause
  const data = { path, errno }
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new BackupError(ErrorCode.NoRoomToFreeze, `Cannot freeze "${path}": ${errnoMeaning(cause)}`, {
        data,
        cause,
      })
    case 'EOPNOTSUPP':
    case 'ENOTSUP':
    case 'ENOTTY':
      return unshared(path, cause)
    case 'ETXTBSY':
      return unsuitable(path, 'it is used as swap space', cause)
    case 'EXDEV':
    case 'EINVAL':
      return unsuitable(path, `its file system cannot share its blocks with a new file (${errno})`, cause)
    case 'EROFS':
      return unsuitable(path, 'its file system is mounted read-only, where no clone can be kept', cause)
    default:
      return new BackupError(ErrorCode.FreezeFailed, `Cannot freeze "${path}": ${errnoMeaning(cause)}`, {
        data,
        cause,
      })
  }
}

function unshared(path: string, cause?: unknown): BackupError {
  return unsuitable(path, 'its file system was made without sharing of blocks (mkfs.xfs -m reflink=0)', cause)
}

function unsuitable(path: string, found: string, cause?: unknown): BackupError {
  return new BackupError(ErrorCode.SourceUnsuitable, `Cannot freeze "${path}" as a clone: ${found}`, {
    data: { path },
    cause,
  })
}
