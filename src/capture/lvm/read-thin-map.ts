import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { ExtentTable } from '../../extents/extent-table.ts'
import type { RangeTable } from '../../extents/range-table.ts'
import { liveMappingMark, MappingMarks, MarkNodes } from '../../formats/dm-thin/mapping-mark.ts'
import type { ThinPool as PoolMetadata } from '../../formats/dm-thin/thin-pool.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { openLogicalVolume } from '../../formats/lvm2/logical-volume-extents.ts'
import { imageOnGroup } from '../../formats/volume-stack/image-on-group.ts'
import { openPool } from '../../formats/volume-stack/open-pool.ts'
import { thinVolumeMap, thinVolumeMapSince } from '../../formats/volume-stack/thin-volume-map.ts'
import type { StackGroup } from '../../formats/volume-stack/volume.ts'
import type { HeldImage } from '../provider/held-image.ts'
import type { KnownThinMap, KnownThinMaps } from './known-thin-maps.ts'
import type { LiveGroup } from './live-group.ts'
import type { LvmTools } from './lvm-tools.ts'
import { withMetadataSnapshot, type PoolName } from './metadata-snapshot.ts'
import { thinChanges } from './thin-changes.ts'
import { thinContent, type ThinContent } from './thin-content.ts'
import { thinPlace, type ThinPlace } from './thin-place.ts'

/** A pool under load writes its metadata about once a second, and whenever a writer syncs. */
const LIVE_TRIES = 3
/** 384 MB; an image in more pieces is not mapped. */
const BUDGET = { extentCount: 16_000_000 }

export type ThinImageParts = {
  readonly tools: LvmTools
  readonly live: LiveGroup
  readonly pool: PoolName
  readonly held: HeldImage
  /** What was held of the volume before. */
  readonly heldBefore: readonly HeldImage[]
  readonly known: KnownThinMaps
}

/** The map of a thin snapshot, and what its mappings are known by: see `mappingMark()`. */
export type ThinMap = ThinPlace & {
  readonly group: StackGroup
  readonly table: ExtentTable
  /** While a run reads it. */
  readonly mark: string
  /** As a base. */
  readonly baseMark: string
  /** Null where it was read whole. */
  readonly changes: KnownChanges | null
}

/** What was told of a frozen image beside another one: both stay as they are. */
export type KnownChanges = { readonly since: HeldImage['id']; readonly ranges: RangeTable }

/** Reads it: whole, or what differs from that of an image before. */
export async function readThinMap(parts: ThinImageParts, signal: AbortSignal): Promise<ThinMap> {
  const { held, known } = parts
  const map = await readInPool(parts, signal, async (still) => {
    const { group, content, metadata, marks } = still
    const place = thinPlace(group, held)
    return {
      ...place,
      group,
      mark: await marks.of(content.deviceId, MarkNodes.Few),
      baseMark: await marks.of(content.deviceId, MarkNodes.Many),
      ...((await mapSince(parts, { ...still, place }, signal)) ?? {
        changes: null,
        table: await thinVolumeMap(group, { ...content, metadata }, { budget: BUDGET, signal }),
      }),
    }
  })
  // Not the group, which has the disks open.
  const { deviceId, data, baseMark, table } = map
  known.remember(held.id, { deviceId, data, baseMark, table })
  return map
}

/** By the map of an image before; null where none is known that is still true. */
async function mapSince(
  { heldBefore, known }: ThinImageParts,
  still: HeldStill & { readonly place: ThinPlace },
  signal: AbortSignal,
): Promise<Pick<ThinMap, 'table' | 'changes'> | null> {
  const { group, content, metadata, place } = still
  const after = { pool: metadata, deviceId: content.deviceId }
  const { sizeBytes } = content.volume
  for (const image of heldBefore) {
    const before = known.recall(image.id)
    if (before === null || before.data !== place.data) continue
    if (before.table.sizeBytes !== sizeBytes) continue
    try {
      if (!(await isStillTrue(before, { ...still, image }))) continue
      const volumes = { before: { pool: metadata, deviceId: before.deviceId }, after, sizeBytes }
      const ranges = await thinChanges(volumes, signal)
      const earlier = { table: before.table, changes: ranges.batches() }
      const how = { before: earlier, budget: BUDGET, signal }
      const table = await thinVolumeMapSince(group, { ...content, metadata }, how)
      return { table, changes: { since: image.id, ranges } }
    } catch (error) {
      // What is wrong with an image before is no fault of this one: it is mapped without it.
      if (!isUnclear(error) && !isBackupError(error, ErrorCode.ImageLost)) throw error
    }
  }
  return null
}

/** Throws IMAGE_LOST when the image is gone, FormatError when its mappings cannot be read. */
async function isStillTrue(
  known: KnownThinMap,
  { group, content, marks, image }: HeldStill & { readonly image: HeldImage },
): Promise<boolean> {
  const { deviceId, pool } = thinContent(group, image)
  if (deviceId !== known.deviceId || pool.volume.uuid !== content.pool.volume.uuid) return false
  // A repaired pool may have other mappings under the same number.
  return (await marks.of(deviceId, MarkNodes.Many)) === known.baseMark
}

type HeldStill = {
  readonly group: StackGroup
  readonly content: ThinContent
  readonly metadata: PoolMetadata
  readonly marks: MappingMarks
}

/** Reads while a metadata snapshot holds the pool's metadata still. */
async function readInPool<Found>(
  { tools, live, pool, held }: ThinImageParts,
  signal: AbortSignal,
  read: (still: HeldStill) => Promise<Found>,
): Promise<Found> {
  return await withMetadataSnapshot(tools, pool, {
    signal,
    read: async () => {
      const group = await live.read()
      const content = thinContent(group, held)
      try {
        const metadata = await openPool(group, content.pool, { snapshot: true })
        return await read({ group, content, metadata, marks: new MappingMarks(metadata, signal) })
      } catch (error) {
        if (!isUnclear(error)) throw error
        const message = `Cannot map thin snapshot "${held.label}": ${error.message}`
        throw new BackupError(ErrorCode.SourceUnreadable, message, { cause: error })
      }
    },
  })
}

function isUnclear(error: unknown): error is FormatError | UnmappedError | RangeError {
  return error instanceof FormatError || error instanceof UnmappedError || error instanceof RangeError
}

/** What was read of the disks before is not what they hold now. */
function uncached({ devices }: StackGroup, { images }: LiveGroup): StackGroup['devices'] {
  return devices.map((device) => {
    const image = device?.origin.kind === 'image' ? images[device.origin.index] : undefined
    return device === null || image === undefined ? null : { ...device, image }
  })
}

/** Of the pool as it is; only one that does not stand still for a moment has to hold a metadata snapshot for it. */
export async function mappingMarkNow(
  parts: ThinImageParts,
  group: StackGroup,
  signal: AbortSignal,
): Promise<string> {
  const { pool, deviceId } = thinContent(group, parts.held)
  const metadata = openLogicalVolume(group.group, pool.metadataVolume)
  const image = imageOnGroup({ group: group.group, devices: uncached(group, parts.live) }, metadata)
  for (let attempt = 1; attempt <= LIVE_TRIES; attempt += 1) {
    const mark = await liveMappingMark({ image, deviceId }, MarkNodes.Few, signal)
    if (mark !== null) return mark
  }
  return await readInPool(parts, signal, (still) => still.marks.of(deviceId, MarkNodes.Few))
}
