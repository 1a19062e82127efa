import type { Extent } from '../domain/extent.ts'
import type { Range, RangeBatch } from '../domain/range.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { joinRanges } from './join-ranges.ts'
import { mergeRuns } from './merge-runs.ts'

/**
 * The ranges for which two maps do not say the same: another kind, device or physical offset, or nothing in one of
 * them. Inline runs with different bytes differ as a whole. What is left out is the same in both, wherever it lies.
 */
export async function* differenceExtents(
  first: Batches<Extent>,
  second: Batches<Extent>,
): AsyncGenerator<RangeBatch> {
  const out = new BatchCollector(joinRanges)
  yield* mergeRuns(first, second, {
    until: 'both-end',
    out,
    visit: (run, before, after) => {
      if (before === undefined || after === undefined || !isSameIn(run, before, after)) out.add(run)
    },
  })
}

function isSameIn(run: Range, before: Extent, after: Extent): boolean {
  switch (before.kind) {
    case 'zero':
      return after.kind === 'zero'
    case 'data':
      return (
        after.kind === 'data' &&
        after.device === before.device &&
        after.physicalOffset - after.offset === before.physicalOffset - before.offset
      )
    case 'inline':
      return after.kind === 'inline' && isSameInline(run, before, after)
  }
}

type Inline = Extract<Extent, { kind: 'inline' }>

function isSameInline(run: Range, before: Inline, after: Inline): boolean {
  for (let position = run.offset; position < run.offset + run.length; position += 1) {
    if (before.bytes[position - before.offset] !== after.bytes[position - after.offset]) return false
  }
  return true
}
