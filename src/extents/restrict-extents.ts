import type { Extent, ExtentBatch } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { cutExtent } from './cut-extent.ts'
import { joinExtents } from './join-extents.ts'
import { mergeRuns } from './merge-runs.ts'

/** The part of the map that `ranges` cover, offsets as they were: what an incremental has to read, and where. */
export async function* restrictExtents(
  map: Batches<Extent>,
  ranges: Batches<Range>,
): AsyncGenerator<ExtentBatch> {
  const out = new BatchCollector(joinExtents)
  yield* mergeRuns(map, ranges, {
    until: 'either-ends',
    out,
    visit: (run, extent, range) => {
      if (extent !== undefined && range !== undefined) out.add(cutExtent(extent, run))
    },
  })
}
