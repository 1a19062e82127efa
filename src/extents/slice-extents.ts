import type { Extent, ExtentBatch } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'
import type { Batches } from './batches.ts'
import { moveExtent } from './cut-extent.ts'
import { restrictExtents } from './restrict-extents.ts'

/** The map of `range` as an image of its own: its first byte is at offset 0. */
export async function* sliceExtents(map: Batches<Extent>, range: Range): AsyncGenerator<ExtentBatch> {
  for await (const batch of restrictExtents(map, [[range]])) {
    yield batch.map((extent) => moveExtent(extent, extent.offset - range.offset))
  }
}
