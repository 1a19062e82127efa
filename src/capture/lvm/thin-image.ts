import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { Range } from '../../domain/range.ts'
import type { ExtentTable } from '../../extents/extent-table.ts'
import { RangeTable } from '../../extents/range-table.ts'
import { intersectRanges } from '../../extents/intersect-ranges.ts'
import { differenceOfThinVolumes } from '../../formats/dm-thin/thin-difference.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { openLogicalVolume } from '../../formats/lvm2/logical-volume-extents.ts'
import { openPool } from '../../formats/volume-stack/open-pool.ts'
import { thinVolumeMap } from '../../formats/volume-stack/thin-volume-map.ts'
import type { StackGroup } from '../../formats/volume-stack/volume.ts'
import type { HeldImage } from '../provider/held-image.ts'
import type { RangeStream } from '../provider/provided-image.ts'
import { DiskMap } from './disk-map.ts'
import type { LiveGroup } from './live-group.ts'
import type { LvmTools } from './lvm-tools.ts'
import { requireWorking, withMetadataSnapshot, type PoolName } from './metadata-snapshot.ts'
import { thinContent, type ThinContent } from './thin-content.ts'

/** 384 MB; an image in more pieces is not mapped. */
const EXTENTS_MAX = 16_000_000

export type ThinImageParts = {
  readonly tools: LvmTools
  readonly live: LiveGroup
  readonly pool: PoolName
  readonly held: HeldImage
}

/**
 * A thin snapshot, read on the disks under its pool. Its blocks never change while it is held; where they lie does
 * when LVM moves the pool's data.
 */
export class ThinImage {
  readonly #parts: ThinImageParts
  readonly #seen: Placement
  readonly map: DiskMap

  private constructor(parts: ThinImageParts, seen: Placement, map: DiskMap) {
    this.#parts = parts
    this.#seen = seen
    this.map = map
  }

  static async open(parts: ThinImageParts, signal: AbortSignal): Promise<ThinImage> {
    const { group, table } = await readMap(parts, signal)
    return new ThinImage(parts, placementOf(group, parts.held), new DiskMap(table, group))
  }

  async identify(signal: AbortSignal): Promise<readonly Range[]> {
    const { tools, live, pool, held } = this.#parts
    requireWorking(pool, await tools.poolStatus(pool, signal))
    const group = await live.read()
    const now = placementOf(group, held)
    if (now.deviceId !== this.#seen.deviceId) throw lost(held, 'it is another device of its pool now')
    if (now.seqno === this.#seen.seqno) return []
    const moved = now.data === this.#seen.data ? [] : await this.#replaceMap(signal)
    // Last: who asks again after a failure is not told that nothing moved.
    this.#seen.seqno = now.seqno
    return moved
  }

  async #replaceMap(signal: AbortSignal): Promise<readonly Range[]> {
    const found = await readMap(this.#parts, signal)
    const moved = await this.map.replace(found.table, found.group)
    this.#seen.data = placementOf(found.group, this.#parts.held).data
    return moved
  }

  async changesSince(base: HeldImage, signal: AbortSignal): Promise<RangeStream> {
    const { tools, live, pool, held } = this.#parts
    const changes = await withMetadataSnapshot(tools, pool, {
      signal,
      read: async () => {
        const group = await live.read()
        const after = thinContent(group, held)
        const before = baseContent(group, base)
        if (before.pool.volume.uuid !== after.pool.volume.uuid) throw unknown(base, 'it is in another pool')
        const metadata = await openPool(group, after.pool, { snapshot: true })
        const difference = differenceOfThinVolumes(
          { pool: metadata, deviceId: before.deviceId },
          { pool: metadata, deviceId: after.deviceId },
          signal,
        )
        const whole = { offset: 0, length: this.map.sizeBytes }
        return await readChanges(intersectRanges(difference, [[whole]]), base)
      },
    })
    return async function* ranges() {
      yield* await Promise.resolve(changes.batches())
    }
  }
}

async function readChanges(ranges: AsyncIterable<readonly Range[]>, base: HeldImage): Promise<RangeTable> {
  try {
    return await RangeTable.read(ranges)
  } catch (error) {
    if (error instanceof RangeError || error instanceof FormatError) throw unknown(base, error.message)
    throw error
  }
}

async function readMap(
  { tools, live, pool, held }: ThinImageParts,
  signal: AbortSignal,
): Promise<{ readonly group: StackGroup; readonly table: ExtentTable }> {
  return await withMetadataSnapshot(tools, pool, {
    signal,
    read: async () => {
      const group = await live.read()
      const content = thinContent(group, held)
      try {
        const metadata = await openPool(group, content.pool, { snapshot: true })
        const budget = { extentCount: EXTENTS_MAX }
        return { group, table: await thinVolumeMap(group, { ...content, metadata }, { budget, signal }) }
      } catch (error) {
        if (
          !(error instanceof FormatError || error instanceof UnmappedError || error instanceof RangeError)
        ) {
          throw error
        }
        const message = `Cannot map thin snapshot "${held.label}": ${error.message}`
        throw new BackupError(ErrorCode.SourceUnreadable, message, { cause: error })
      }
    },
  })
}

function baseContent(group: StackGroup, base: HeldImage): ThinContent {
  try {
    return thinContent(group, base)
  } catch (error) {
    if (isBackupError(error, ErrorCode.ImageLost)) throw unknown(base, error.message)
    throw error
  }
}

/** All that decides where the bytes are, but for the mapping of the snapshot, which does not change. */
type Placement = { seqno: number; readonly deviceId: number; data: string }

function placementOf(group: StackGroup, held: HeldImage): Placement {
  const { pool, deviceId } = thinContent(group, held)
  const data = openLogicalVolume(group.group, pool.dataVolume)
  const devices = group.group.physicalVolumes.map(({ uuid }) => uuid)
  const segments = [...data.extentsIn({ offset: 0, length: data.sizeBytes })]
  return { seqno: group.group.seqno, deviceId, data: JSON.stringify({ devices, segments }) }
}

function lost({ label }: HeldImage, found: string): BackupError {
  return new BackupError(ErrorCode.ImageLost, `Cannot go on reading thin snapshot "${label}": ${found}`)
}

function unknown({ label }: HeldImage, found: string): BackupError {
  return new BackupError(ErrorCode.ChangesUnknown, `Cannot tell what changed since "${label}": ${found}`)
}
