import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { ExtentTable } from '../../extents/extent-table.ts'
import { liveMappingMark, mappingMark, MarkNodes } from '../../formats/dm-thin/mapping-mark.ts'
import type { ThinPool as PoolMetadata } from '../../formats/dm-thin/thin-pool.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { openLogicalVolume } from '../../formats/lvm2/logical-volume-extents.ts'
import { imageOnGroup } from '../../formats/volume-stack/image-on-group.ts'
import { openPool } from '../../formats/volume-stack/open-pool.ts'
import { thinVolumeMap } from '../../formats/volume-stack/thin-volume-map.ts'
import type { StackGroup } from '../../formats/volume-stack/volume.ts'
import type { HeldImage } from '../provider/held-image.ts'
import type { LiveGroup } from './live-group.ts'
import type { LvmTools } from './lvm-tools.ts'
import { withMetadataSnapshot, type PoolName } from './metadata-snapshot.ts'
import { thinContent, type ThinContent } from './thin-content.ts'

/** A pool under load writes its metadata about once a second, and whenever a writer syncs. */
const LIVE_TRIES = 3
/** 384 MB; an image in more pieces is not mapped. */
const EXTENTS_MAX = 16_000_000

export type ThinImageParts = {
  readonly tools: LvmTools
  readonly live: LiveGroup
  readonly pool: PoolName
  readonly held: HeldImage
}

/** The map of a thin snapshot, and what its mappings are known by: see `mappingMark()`. */
export type ThinMap = {
  readonly group: StackGroup
  readonly table: ExtentTable
  /** While a run reads it. */
  readonly mark: string
  /** As a base. */
  readonly baseMark: string
}

export async function readThinMap(parts: ThinImageParts, signal: AbortSignal): Promise<ThinMap> {
  return await readInPool(parts, signal, async ({ group, content, metadata }) => {
    const budget = { extentCount: EXTENTS_MAX }
    const volume = { pool: metadata, deviceId: content.deviceId }
    return {
      group,
      mark: await mappingMark(volume, MarkNodes.Few, signal),
      baseMark: await mappingMark(volume, MarkNodes.Many, signal),
      table: await thinVolumeMap(group, { ...content, metadata }, { budget, signal }),
    }
  })
}

type HeldStill = {
  readonly group: StackGroup
  readonly content: ThinContent
  readonly metadata: PoolMetadata
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
        return await read({
          group,
          content,
          metadata: await openPool(group, content.pool, { snapshot: true }),
        })
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
  return await readInPool(parts, signal, (still) =>
    mappingMark({ pool: still.metadata, deviceId }, MarkNodes.Few, signal),
  )
}
