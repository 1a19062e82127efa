import type { Extent, ExtentBatch } from '../domain/extent.ts'
import { endOf } from '../domain/range.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { inOrder } from './in-order.ts'
import { joinExtents } from './join-extents.ts'

export type Coverage = {
  /** Where the map has to begin: 0, but for the map of a part. */
  readonly startOffset?: number
  readonly endOffset: number
}

/**
 * The same map in the fewest extents: neighbours that are zero, or contiguous on one device, become one.
 * Throws RangeError when the extents are out of order or do not cover `startOffset` to `endOffset` exactly.
 */
export async function* normaliseExtents(
  map: Batches<Extent>,
  { startOffset = 0, endOffset }: Coverage,
): AsyncGenerator<ExtentBatch> {
  const out = new BatchCollector(joinExtents)
  let position = startOffset
  for await (const batch of inOrder(map)) {
    for (const extent of batch) {
      if (extent.offset !== position || endOf(extent) > endOffset) {
        throw new RangeError(
          `Cannot take extent ${extent.offset}+${extent.length}: map is known up to ${position}, expected ` +
            `an extent from there on that ends at most at ${endOffset}`,
        )
      }
      position = endOf(extent)
      out.add(extent)
      if (out.isFull) yield out.take()
    }
  }
  if (position !== endOffset) {
    throw new RangeError(`Cannot take map: it ends at ${position}, expected ${endOffset}`)
  }
  yield* out.rest()
}
