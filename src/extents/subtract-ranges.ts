import type { Range, RangeBatch } from '../domain/range.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { joinRanges } from './join-ranges.ts'
import { mergeRuns } from './merge-runs.ts'

/** The bytes that are in `ranges` and not in `removed`, in the fewest ranges. */
export async function* subtractRanges(
  ranges: Batches<Range>,
  removed: Batches<Range>,
): AsyncGenerator<RangeBatch> {
  const out = new BatchCollector(joinRanges)
  yield* mergeRuns(ranges, removed, {
    until: 'first-ends',
    out,
    visit: (run, kept, gone) => {
      if (kept !== undefined && gone === undefined) out.add(run)
    },
  })
}
