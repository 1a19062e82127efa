import assert from 'node:assert/strict'
import type { Range } from '../../domain/range.ts'
import type { ExtentBatch } from '../../domain/extent.ts'
import { bridgeGaps, pushBridged } from '../../extents/bridge-gaps.ts'
import { intersectRanges } from '../../extents/intersect-ranges.ts'
import { differenceOfThinVolumes } from './thin-difference.ts'
import { thinExtents } from './thin-mappings.ts'
import type { ThinVolume } from './thin-pool.ts'

/** Mappings that lie so near to one another are mostly in one leaf, which is read as a whole. */
const GAP_BLOCKS = 128
/** Each is a walk from the root of the tree. */
const SPANS_MAX = 16

/**
 * The extents of `after` wherever it is mapped otherwise than `before`, and here and there in between, as `thinExtents()`
 * tells them: they take the place of what the map of `before` says there. What both share is not read.
 */
export async function* alteredExtents(
  { before, after, sizeBytes }: { before: ThinVolume; after: ThinVolume; sizeBytes: number },
  signal: AbortSignal,
): AsyncGenerator<ExtentBatch> {
  assert(after.pool.image === before.pool.image)
  // Bridged as they come: scattered changes are more than fit into memory.
  const gapBytes = GAP_BLOCKS * after.pool.dataBlockBytes
  const changed: Range[] = []
  const whole = [[{ offset: 0, length: sizeBytes }]]
  for await (const batch of intersectRanges(differenceOfThinVolumes(before, after, signal), whole)) {
    for (const range of batch) pushBridged(changed, range, gapBytes)
  }
  for (const span of bridgeGaps(changed, { countMax: SPANS_MAX, gapBytes: 4 * gapBytes })) {
    yield* thinExtents(after, span, signal)
  }
}
