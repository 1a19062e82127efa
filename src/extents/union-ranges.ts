import type { Range, RangeBatch } from '../domain/range.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { joinRanges } from './join-ranges.ts'
import { mergeRuns } from './merge-runs.ts'

/** The bytes that are in `first`, in `second` or in both, in the fewest ranges. */
export async function* unionRanges(
  first: Batches<Range>,
  second: Batches<Range>,
): AsyncGenerator<RangeBatch> {
  const out = new BatchCollector(joinRanges)
  yield* mergeRuns(first, second, { until: 'both-end', out, visit: (run) => out.add(run) })
}
