import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { Range } from '../../domain/range.ts'
import type { RangeTable } from '../../extents/range-table.ts'
import { mappingMark, MarkNodes } from '../../formats/dm-thin/mapping-mark.ts'
import { FormatError } from '../../formats/format-error.ts'
import type { ThinPool as PoolMetadata, ThinVolume } from '../../formats/dm-thin/thin-pool.ts'
import { openPool } from '../../formats/volume-stack/open-pool.ts'
import type { StackGroup } from '../../formats/volume-stack/volume.ts'
import type { HeldImage } from '../provider/held-image.ts'
import type { RangeStream } from '../provider/provided-image.ts'
import { DiskMap } from './disk-map.ts'
import { mappingMarkOf } from './held-tags.ts'
import { requireWorking, withMetadataSnapshot } from './metadata-snapshot.ts'
import {
  mappingMarkNow,
  readThinMap,
  type KnownChanges,
  type ThinImageParts,
  type ThinMap,
} from './read-thin-map.ts'
import { thinChanges } from './thin-changes.ts'
import { thinContent, type ThinContent } from './thin-content.ts'
import { thinPlace, type ThinPlace } from './thin-place.ts'

/**
 * A thin snapshot, read on the disks under its pool. Its blocks never change while it is held; where they lie does
 * when LVM moves the pool's data. When the pool's metadata is repaired, or another takes its place, the mappings may be
 * others: then it is no image any more.
 */
export class ThinImage {
  readonly #parts: ThinImageParts
  #seen: Placement
  /** What is known of it since it was mapped. */
  readonly #changes: KnownChanges | null
  /** Said again to whoever asks again. */
  #lost: BackupError | null = null
  readonly map: DiskMap

  private constructor(parts: ThinImageParts, found: ThinMap) {
    this.#parts = parts
    this.#seen = placementOf(found)
    this.#changes = found.changes
    this.map = new DiskMap(found.table, found.group)
  }

  static async open(parts: ThinImageParts, signal: AbortSignal): Promise<ThinImage> {
    return new ThinImage(parts, await readThinMap(parts, signal))
  }

  /** What it is known by as a base: see `mappingMark()`. */
  get baseMark(): string {
    return this.#seen.baseMark
  }

  async identify(signal: AbortSignal): Promise<readonly Range[]> {
    if (this.#lost !== null) throw this.#lost
    const { tools, live, pool, held } = this.#parts
    requireWorking(pool, await tools.poolStatus(pool, signal))
    const group = await live.read()
    const now = thinPlace(group, held)
    if (now.deviceId !== this.#seen.deviceId) throw lost(held, 'it is another device of its pool now')
    const isSame =
      now.data === this.#seen.data && (await mappingMarkNow(this.#parts, group, signal)) === this.#seen.mark
    return isSame ? [] : await this.#replaceMap(signal)
  }

  async #replaceMap(signal: AbortSignal): Promise<readonly Range[]> {
    // Whole: of a pool whose metadata is in doubt, nothing is known by what it said before.
    const found = await readThinMap({ ...this.#parts, heldBefore: [] }, signal)
    const moved = await this.map.replace(found.table, found.group)
    if (found.mark !== this.#seen.mark && moved.length > 0) {
      this.#lost = lost(this.#parts.held, 'the metadata of its pool was repaired or exchanged meanwhile')
      throw this.#lost
    }
    this.#seen = placementOf(found)
    return moved
  }

  async changesSince(base: HeldImage, signal: AbortSignal): Promise<RangeStream> {
    const changes =
      base.id === this.#changes?.since ? this.#changes.ranges : await this.#compare(base, signal)
    return async function* ranges() {
      yield* await Promise.resolve(changes.batches())
    }
  }

  async #compare(base: HeldImage, signal: AbortSignal): Promise<RangeTable> {
    const { tools, live, pool, held } = this.#parts
    return await withMetadataSnapshot(tools, pool, {
      signal,
      read: async () => {
        const group = await live.read()
        const after = thinContent(group, held)
        const before = baseContent(group, base)
        if (before.pool.volume.uuid !== after.pool.volume.uuid) throw unknown(base, 'it is in another pool')
        const metadata = await openPool(group, after.pool, { snapshot: true })
        await requireSameMappings({ base, before, metadata }, signal)
        const volumes = {
          before: { pool: metadata, deviceId: before.deviceId },
          after: { pool: metadata, deviceId: after.deviceId },
          sizeBytes: this.map.sizeBytes,
        }
        return await orUnknown(base, thinChanges(volumes, signal))
      },
    })
  }
}

async function orUnknown(base: HeldImage, reading: Promise<RangeTable>): Promise<RangeTable> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof RangeError || error instanceof FormatError) throw unknown(base, error.message)
    throw error
  }
}

/** A repair gives a volume and its base the same holes: their difference says nothing of that. */
async function requireSameMappings(
  {
    base,
    before: { volume, deviceId },
    metadata,
  }: { readonly base: HeldImage; readonly before: ThinContent; readonly metadata: PoolMetadata },
  signal: AbortSignal,
): Promise<void> {
  const known = mappingMarkOf(volume.tags)
  if (known === null || known === (await baseMark(base, { pool: metadata, deviceId }, signal))) return
  throw unknown(base, 'the metadata of its pool was repaired or exchanged since')
}

async function baseMark(base: HeldImage, volume: ThinVolume, signal: AbortSignal): Promise<string> {
  try {
    return await mappingMark(volume, MarkNodes.Many, signal)
  } catch (error) {
    if (error instanceof FormatError) throw unknown(base, error.message)
    throw error
  }
}

function baseContent(group: StackGroup, base: HeldImage): ThinContent {
  try {
    return thinContent(group, base)
  } catch (error) {
    if (isBackupError(error, ErrorCode.ImageLost)) throw unknown(base, error.message)
    throw error
  }
}

/** All that decides where the bytes are. */
type Placement = ThinPlace & Pick<ThinMap, 'mark' | 'baseMark'>

/** The map itself is not held twice. */
function placementOf(map: ThinMap): Placement {
  return { deviceId: map.deviceId, data: map.data, mark: map.mark, baseMark: map.baseMark }
}

function lost({ label }: HeldImage, found: string): BackupError {
  return new BackupError(ErrorCode.ImageLost, `Cannot go on reading thin snapshot "${label}": ${found}`)
}

function unknown({ label }: HeldImage, found: string): BackupError {
  return new BackupError(ErrorCode.ChangesUnknown, `Cannot tell what changed since "${label}": ${found}`)
}
