import type { BigIntStats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { ErrorCode } from '../domain/backup-error.ts'
import { openDeviceTarget } from './device-target.ts'
import { errnoOf } from '../domain/errno.ts'
import { openFileInPlace, openNewFile } from './file-target.ts'
import { kindOf } from './path-kind.ts'
import { targetError, targetOpenError } from './target-error.ts'

export type LocalTargetOptions = {
  /** Of the image to be restored. */
  readonly sizeBytes: number
  /** Replace an existing file, in one step and not before `commit()`. */
  readonly overwrite?: boolean
  /** Write into the existing file itself, as a restore of what differs does; its size becomes the image's. */
  readonly inPlace?: boolean
  /** The user agreed that a block device loses its content. */
  readonly confirmed?: boolean
}

/** Where an image is restored to, open for reading and writing. */
export type LocalTarget = AsyncDisposable & {
  /** As the user wrote it. */
  readonly path: string
  /** What is written to until `commit()`: a worker thread opens this. */
  readonly workingPath: string
  readonly type: 'file' | 'device'
  /** What it can hold: of a file the image's size, of a device its own. */
  readonly sizeBytes: number
  readonly sectorSizeBytes: number
  readonly fd: number
  /** `fd` does direct I/O: memory, offsets and lengths must be aligned to sectors. True for devices. */
  readonly direct: boolean
  /** Every byte is known to be zero: zeros need not be written. */
  readonly blank: boolean
  /** Makes it durable, a file under its name. Without it a new file is removed when the target is disposed of. */
  commit(): Promise<void>
}

/**
 * Opens or makes a target: a file, or a block device that nothing uses. Throws TARGET_EXISTS, TARGET_MISSING,
 * TARGET_IN_USE, TARGET_TOO_SMALL, TARGET_UNSUITABLE, TARGET_NOT_CONFIRMED, TARGET_WRITE_FAILED.
 */
export async function openLocalTarget(path: string, options: LocalTargetOptions): Promise<LocalTarget> {
  try {
    const stats = await statOrNull(path)
    if (stats === null) return await openNewFile(path, { ...options, replaced: null })
    const realPath = await realpath(path)
    if (stats.isBlockDevice()) return await openDeviceTarget({ path, realPath }, options)
    if (!stats.isFile()) {
      throw targetError(ErrorCode.TargetUnsuitable, path, {
        found: `it is ${kindOf(stats)}, required is a block device or a file`,
      })
    }
    if (options.inPlace === true) return await openFileInPlace({ path, realPath }, options)
    if (options.overwrite === true) {
      return await openNewFile(path, { ...options, replaced: { realPath, mode: Number(stats.mode) } })
    }
    throw targetError(ErrorCode.TargetExists, path, {
      found: 'the file exists, required is a name that is free',
    })
  } catch (error) {
    throw targetOpenError(path, error)
  }
}

async function statOrNull(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null
    throw error
  }
}
