import type { Extent } from '../domain/extent.ts'
import type { RangeBatch } from '../domain/range.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { inOrder } from './in-order.ts'
import { joinRanges } from './join-ranges.ts'

/** The ranges of the map that are not zero, in the fewest ranges. */
export async function* dataRanges(map: Batches<Extent>): AsyncGenerator<RangeBatch> {
  const out = new BatchCollector(joinRanges)
  for await (const batch of inOrder(map)) {
    for (const { kind, offset, length } of batch) {
      if (kind !== 'zero') out.add({ offset, length })
      if (out.isFull) yield out.take()
    }
  }
  yield* out.rest()
}
