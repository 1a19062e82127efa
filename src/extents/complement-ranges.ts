import type { Range, RangeBatch } from '../domain/range.ts'
import type { Batches } from './batches.ts'
import { subtractRanges } from './subtract-ranges.ts'

/** The bytes from 0 to `sizeBytes` that are not in `ranges`, in the fewest ranges. */
export async function* complementRanges(
  ranges: Batches<Range>,
  { sizeBytes }: { readonly sizeBytes: number },
): AsyncGenerator<RangeBatch> {
  const everything = sizeBytes === 0 ? [] : [{ offset: 0, length: sizeBytes }]
  yield* subtractRanges([everything], ranges)
}
