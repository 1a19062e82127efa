import type { Range, RangeBatch } from '../domain/range.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { inOrder } from './in-order.ts'
import { joinRanges } from './join-ranges.ts'

/**
 * The same bytes in the fewest ranges: those that touch become one.
 * Throws RangeError when the ranges are out of order, overlap or are empty.
 */
export async function* normaliseRanges(ranges: Batches<Range>): AsyncGenerator<RangeBatch> {
  const out = new BatchCollector(joinRanges)
  for await (const batch of inOrder(ranges)) {
    for (const range of batch) {
      out.add(range)
      if (out.isFull) yield out.take()
    }
  }
  yield* out.rest()
}
