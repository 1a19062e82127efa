import type { Range } from '../domain/range.ts'
import type { Batches } from './batches.ts'
import { inOrder } from './in-order.ts'

export type RangesMeasure = { readonly count: number; readonly lengthBytes: number }

/** How many ranges there are, as they come, and how many bytes are in them. Extents are ranges too. */
export async function measureRanges(ranges: Batches<Range>): Promise<RangesMeasure> {
  let count = 0
  let lengthBytes = 0
  for await (const batch of inOrder(ranges)) {
    count += batch.length
    for (const range of batch) lengthBytes += range.length
  }
  return { count, lengthBytes }
}
