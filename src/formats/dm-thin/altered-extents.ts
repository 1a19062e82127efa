import type { ExtentBatch } from '../../domain/extent.ts'
import type { Range, RangeBatch } from '../../domain/range.ts'
import { bridgeGaps, pushBridged } from '../../extents/bridge-gaps.ts'
import { thinExtents } from './thin-mappings.ts'
import type { ThinVolume } from './thin-pool.ts'

/** Mappings that lie so near to one another are mostly in one leaf, which is read as a whole. */
const GAP_BLOCKS = 128
/** Each is a walk from the root of the tree. */
const SPANS_MAX = 16

/**
 * The extents of `volume` wherever it is mapped otherwise than one before, and here and there in between, as
 * `thinExtents()` tells them: they take the place of what the map of that one says there. What both share is not read.
 */
export async function* alteredExtents(
  volume: ThinVolume,
  changes: Iterable<RangeBatch>,
  signal: AbortSignal,
): AsyncGenerator<ExtentBatch> {
  // Bridged as they come: scattered changes are many.
  const gapBytes = GAP_BLOCKS * volume.pool.dataBlockBytes
  const changed: Range[] = []
  for (const batch of changes) for (const range of batch) pushBridged(changed, range, gapBytes)
  for (const span of bridgeGaps(changed, { countMax: SPANS_MAX, gapBytes: 4 * gapBytes })) {
    yield* thinExtents(volume, span, signal)
  }
}
