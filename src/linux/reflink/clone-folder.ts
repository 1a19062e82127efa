import { constants, type Stats } from 'node:fs'
import { lstat, mkdir, open, readdir, rmdir, statfs, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Clone, Room } from '../../domain/file-clone.ts'
import { errnoMeaning, errnoOf } from '../../domain/errno.ts'
import { openKeptClone } from './kept-clone.ts'

/** At the mount point of a file system. */
const NAME = '.icecore'
const MODE = 0o700
const OTHERS = 0o077

/** Where the clones of one file system are kept, whether or not it is there yet. */
export class CloneFolder {
  readonly path: string
  /** The file system moves data of files that nobody writes to. */
  readonly isMoved: boolean

  constructor(mount: { readonly mountPoint: string; readonly fileSystem: string }) {
    this.path = join(mount.mountPoint, NAME)
    this.isMoved = mount.fileSystem === 'btrfs'
  }

  /** Makes it when it is not there. Throws when it is somebody else's: who may write there could change what we read. */
  async make(): Promise<void> {
    try {
      await mkdir(this.path, { mode: MODE })
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw this.#unusable(`${errnoMeaning(cause)}`, cause)
    }
    if (!(await this.isThere())) throw this.#unusable('it went away')
  }

  /** What tells it from all other folders; null when there is none of ours. Throws when only root may look into it. */
  async key(): Promise<string | null> {
    const stats = await presentOrNull(lstat(this.path))
    if (stats === null || !isPrivate(stats) || stats.uid !== 0) return null
    if (process.geteuid?.() === 0) return `${stats.dev}:${stats.ino}`
    const message = `Cannot look for held images in "${this.path}": permission is denied, required is root`
    throw new BackupError(ErrorCode.SourceUnreadable, message, { data: { path: this.path } })
  }

  /** Whether it is there. Throws when what is there is not ours. */
  async isThere(): Promise<boolean> {
    const stats = await presentOrNull(lstat(this.path))
    if (stats === null) return false
    if (isPrivate(stats) && stats.uid === process.geteuid?.()) return true
    const mode = (stats.mode & 0o7777).toString(8)
    throw this.#unusable(
      `found ${stats.isDirectory() ? `a folder of user ${stats.uid} with mode ${mode}` : 'a file'}`,
    )
  }

  async names(): Promise<readonly string[]> {
    return (await this.isThere()) ? ((await presentOrNull(readdir(this.path))) ?? []) : []
  }

  /** Null when there is no file of that name. */
  async open(name: string): Promise<Clone | null> {
    const path = join(this.path, name)
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    const stats = await presentOrNull(lstat(path))
    if (stats?.isFile() !== true) return null
    const handle = await presentOrNull(open(path, flags))
    return handle === null ? null : await openKeptClone(handle, { path, folder: this })
  }

  async room(): Promise<Room> {
    const { bavail, blocks, bsize } = await statfs(join(this.path, '..'))
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  }

  async sync(): Promise<void> {
    const handle: FileHandle = await open(this.path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** Nothing is left behind when nothing is held. */
  async removeIfEmpty(): Promise<void> {
    if ((await this.key()) === null) return
    try {
      await rmdir(this.path)
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error
    }
  }

  #unusable(found: string, cause?: unknown): BackupError {
    const message = `Cannot keep clones in "${this.path}": ${found}, required is a folder that only root may use`
    return new BackupError(ErrorCode.SourceUnsuitable, message, { data: { path: this.path }, cause })
  }
}

function isPrivate(stats: Stats): boolean {
  return stats.isDirectory() && (stats.mode & OTHERS) === 0
}

async function presentOrNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return null
    throw error
  }
}
