import type { Extent, ExtentBatch } from '../domain/extent.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { cutExtent } from './cut-extent.ts'
import { joinExtents } from './join-extents.ts'
import { mergeRuns } from './merge-runs.ts'

/** The map with `altered` in the place of what it says of the same bytes; what lies beyond its end is left out. */
export async function* replaceExtents(
  map: Batches<Extent>,
  altered: Batches<Extent>,
): AsyncGenerator<ExtentBatch> {
  const out = new BatchCollector(joinExtents)
  yield* mergeRuns(map, altered, {
    until: 'first-ends',
    out,
    visit: (run, before, now) => {
      const extent = now ?? before
      if (before !== undefined && extent !== undefined) out.add(cutExtent(extent, run))
    },
  })
}
