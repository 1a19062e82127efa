import assert from 'node:assert/strict'

import { endOf, type Range, type RangeBatch } from '../domain/range.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { inOrder } from './in-order.ts'

/**
 * The chunks that `ranges` touch, in the fewest ranges: starts go down and ends go up to a multiple of
 * `chunkSizeBytes`, and no further than `sizeBytes`. What lies beyond `sizeBytes` is left out.
 */
export async function* alignRanges(
  ranges: Batches<Range>,
  { chunkSizeBytes, sizeBytes }: { readonly chunkSizeBytes: number; readonly sizeBytes: number },
): AsyncGenerator<RangeBatch> {
  assert(Number.isSafeInteger(chunkSizeBytes) && chunkSizeBytes >= 1)
  const out = new BatchCollector(joinOverlapping)
  for await (const batch of inOrder(ranges)) {
    for (const range of batch) {
      const start = range.offset - (range.offset % chunkSizeBytes)
      const end = Math.min(Math.ceil(endOf(range) / chunkSizeBytes) * chunkSizeBytes, sizeBytes)
      if (start < end) out.add({ offset: start, length: end - start })
      if (out.isFull) yield out.take()
    }
  }
  yield* out.rest()
}

/** Two ranges in one chunk both become that chunk, so neighbours here may overlap as well as touch. */
function joinOverlapping(last: Range, next: Range): Range | null {
  if (next.offset > endOf(last)) return null
  return { offset: last.offset, length: Math.max(endOf(last), endOf(next)) - last.offset }
}
