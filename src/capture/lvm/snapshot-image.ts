import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmVolume, SnapshotStatus } from '../../domain/logical-volume.ts'
import type { Range } from '../../domain/range.ts'
import type { ExtentTable } from '../../extents/extent-table.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { volumeContent } from '../../formats/lvm2/volume-content.ts'
import { snapshotVolumeMap } from '../../formats/volume-stack/snapshot-volume-map.ts'
import type { StackGroup } from '../../formats/volume-stack/volume.ts'
import type { HeldImage } from '../provider/held-image.ts'
import { DiskMap } from './disk-map.ts'
import { volumeOf, type LiveGroup } from './live-group.ts'
import type { LvmTools } from './lvm-tools.ts'

/** 384 MB; an image in more pieces is not mapped. */
const EXTENTS_MAX = 16_000_000

export type SnapshotImageParts = {
  readonly tools: LvmTools
  readonly live: LiveGroup
  readonly held: HeldImage
  readonly volume: LvmVolume
}

/**
 * A classic snapshot on the disks under it. What is overwritten in its origin is copied to its store just before, and
 * the store says so on the disk before the origin is written: what lay still at the origin when it was asked, after it
 * was read, was read right.
 */
export class SnapshotImage {
  readonly #parts: SnapshotImageParts
  readonly map: DiskMap

  private constructor(parts: SnapshotImageParts, map: DiskMap) {
    this.#parts = parts
    this.map = map
  }

  static async open(parts: SnapshotImageParts, signal: AbortSignal): Promise<SnapshotImage> {
    await askWhole(parts, signal)
    const { group, table } = await readMap(parts, signal)
    return new SnapshotImage(parts, new DiskMap(table, group))
  }

  async identify(signal: AbortSignal): Promise<readonly Range[]> {
    const { table, group } = await readMap(this.#parts, signal)
    // Last: a snapshot that overflowed while its store was read is not whole.
    await askWhole(this.#parts, signal)
    return await this.map.replace(table, group)
  }
}

/** Throws IMAGE_LOST for a snapshot that overflowed, or was merged. */
export function requireWhole(held: HeldImage, status: SnapshotStatus): void {
  if (status.kind === 'lost') throw lost(held, `device-mapper says ${status.what}`)
}

async function askWhole({ tools, held, volume }: SnapshotImageParts, signal: AbortSignal): Promise<void> {
  requireWhole(held, await tools.snapshotStatus(volume, signal))
}

async function readMap(
  { live, held }: SnapshotImageParts,
  signal: AbortSignal,
): Promise<{ readonly group: StackGroup; readonly table: ExtentTable }> {
  const group = await live.read()
  const content = volumeContent(group.group, volumeOf(group, held.id, held.label))
  if (content.kind !== 'snapshot') throw lost(held, 'it is no snapshot any more')
  try {
    const table = await snapshotVolumeMap(group, content, { budget: { extentCount: EXTENTS_MAX }, signal })
    return { group, table }
  } catch (error) {
    if (error instanceof UnmappedError && error.what === 'invalid snapshot') throw lost(held, error.message)
    if (!(error instanceof FormatError || error instanceof UnmappedError || error instanceof RangeError))
      throw error
    const message = `Cannot map snapshot "${held.label}": ${error.message}`
    throw new BackupError(ErrorCode.SourceUnreadable, message, { cause: error })
  }
}

function lost({ label }: HeldImage, found: string): BackupError {
  const message = `Cannot go on reading snapshot "${label}": ${found}, required is one with room for all that is written to its origin meanwhile`
  return new BackupError(ErrorCode.ImageLost, message)
}
