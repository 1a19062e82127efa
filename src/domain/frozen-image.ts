import type { ExtentBatch } from './extent.ts'
import type { Range } from './range.ts'

/**
 * The bytes of a source at one instant, immutable while held. Devices, image files, recovery points, partitions,
 * overlays and fault injectors all are one.
 */
export type FrozenImage = AsyncDisposable & {
  readonly sizeBytes: number
  /** Reads at multiples of this many bytes are always possible; others may be refused by the device. */
  readonly sectorSizeBytes: number
  /** Its bytes are read through a cache of pages, so that reads may be small and of any range. */
  readonly isCached?: boolean
  /** The same bytes past that cache, for what is looked at once; reads at multiples of `sectorSizeBytes` only. */
  readonly uncached?: Pick<FrozenImage, 'readInto'>
  /** The map of `range`, ascending, covering it wholly, in batches. */
  extents(range: Range, signal: AbortSignal): AsyncIterable<ExtentBatch>
  /** Fills `target` with the bytes at `offset`, all of them or throws. */
  readInto(target: Uint8Array, offset: number): Promise<void>
}
