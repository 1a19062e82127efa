import { constants, fstatSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { deviceNumberOf } from './device-number.ts'
import { describeUse, deviceUse } from './device-use.ts'
import type { FoundDisk } from './find-disk.ts'
import { targetOpenError } from './target-error.ts'

/** A disk of another host, open for direct reading and writing, which nothing on this host may use meanwhile. */
export type DiskForWriting = AsyncDisposable & {
  readonly path: string
  readonly fd: number
  readonly sizeBytes: number
  /** What was written is on the disk when it resolves. */
  sync(): Promise<void>
}

/**
 * Opens a disk that was found by its identity once more, for writing. Throws TARGET_IN_USE when this host itself mounts it,
 * builds on it or holds it, and TARGET_CHANGED when another disk came under its path.
 */
export async function openDiskForWriting(found: FoundDisk): Promise<DiskForWriting> {
  const { path, realPath, sizeBytes, deviceNumber, identity } = found
  const use = describeUse(await deviceUse(realPath))
  if (use !== null) {
    const message = `Cannot write to disk "${identity?.name ?? path}": on this host, where it is "${path}", ${use}; required is a disk that only its owner uses`
    throw new BackupError(ErrorCode.TargetInUse, message, { data: { path } })
  }
  try {
    const handle = await open(realPath, constants.O_RDWR | constants.O_EXCL | constants.O_DIRECT)
    if (deviceNumberOf(fstatSync(handle.fd, { bigint: true }).rdev) === deviceNumber) {
      return {
        path,
        fd: handle.fd,
        sizeBytes,
        sync: () => handle.sync(),
        [Symbol.asyncDispose]: () => handle.close(),
      }
    }
    await handle.close()
  } catch (error) {
    throw targetOpenError(path, error)
  }
  const message = `Cannot write to disk "${identity?.name ?? path}": another disk came under "${path}" while it was opened; run it again`
  throw new BackupError(ErrorCode.TargetChanged, message, { data: { path } })
}
