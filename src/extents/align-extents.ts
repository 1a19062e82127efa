import assert from 'node:assert/strict'

import type { Extent, ExtentBatch } from '../domain/extent.ts'
import { endOf } from '../domain/range.ts'
import { BatchCollector, keepApart } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { cutExtent } from './cut-extent.ts'
import { inOrder } from './in-order.ts'

/**
 * The same map, cut so that every extent either lies in one chunk or consists of whole chunks. An extent becomes
 * three at most, however long it is: the end of a chunk, whole chunks, the start of a chunk.
 */
export async function* alignExtents(
  map: Batches<Extent>,
  { chunkSizeBytes }: { readonly chunkSizeBytes: number },
): AsyncGenerator<ExtentBatch> {
  assert(Number.isSafeInteger(chunkSizeBytes) && chunkSizeBytes >= 1)
  const out = new BatchCollector<Extent>(keepApart)
  for await (const batch of inOrder(map)) {
    for (const extent of batch) {
      const end = endOf(extent)
      const firstChunk = Math.ceil(extent.offset / chunkSizeBytes) * chunkSizeBytes
      const lastChunk = end - (end % chunkSizeBytes)
      let offset = extent.offset
      for (const cut of [firstChunk, lastChunk, end]) {
        if (cut <= offset || cut > end) continue
        out.add(cutExtent(extent, { offset, length: cut - offset }))
        offset = cut
      }
      if (out.isFull) yield out.take()
    }
  }
  yield* out.rest()
}
