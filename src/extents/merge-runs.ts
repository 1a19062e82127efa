import type { Range } from '../domain/range.ts'
import type { BatchCollector } from './batch-collector.ts'
import { BatchCursor } from './batch-cursor.ts'
import type { Batches } from './batches.ts'

export type MergeOptions<A, B, Out> = {
  /** The merge ends with both inputs, with the first one, or with whichever ends earlier. */
  readonly until: 'both-end' | 'first-ends' | 'either-ends'
  readonly out: BatchCollector<Out>
  /**
   * Called once for every longest run in which neither input changes, ascending: with the item of each that
   * covers the run, undefined where it has a gap.
   */
  readonly visit: (run: Range, first: A | undefined, second: B | undefined) => void
}

/**
 * The heart of the algebra: walks two streams side by side and lays the boundaries of both on one line.
 *
 *     first    ├─── a ───┤├── b ──┤        ├─ c ─┤
 *     second        ├──── x ────┤
 *     runs     ├a,- ┤a,x ┤b,x   ┤b,-       ├ c,- ┤
 *
 * Every operation on two streams is this walk and a decision for each run. Yields what `visit` put into `out`.
 */
export async function* mergeRuns<A extends Range, B extends Range, Out>(
  firstItems: Batches<A>,
  secondItems: Batches<B>,
  { until, out, visit }: MergeOptions<A, B, Out>,
): AsyncGenerator<readonly Out[]> {
  await using first = await BatchCursor.open(firstItems)
  await using second = await BatchCursor.open(secondItems)
  let position = 0
  while (goesOn(until, first.current, second.current)) {
    const offset = Math.max(position, Math.min(first.start, second.start))
    const inFirst = first.start <= offset ? first.current : undefined
    const inSecond = second.start <= offset ? second.current : undefined
    position = Math.min(
      inFirst === undefined ? first.start : first.end,
      inSecond === undefined ? second.start : second.end,
    )
    visit({ offset, length: position - offset }, inFirst, inSecond)
    if (first.end === position && !first.step()) await first.refill()
    if (second.end === position && !second.step()) await second.refill()
    if (out.isFull) yield out.take()
  }
  yield* out.rest()
}

function goesOn(
  until: MergeOptions<unknown, unknown, unknown>['until'],
  first: unknown,
  second: unknown,
): boolean {
  switch (until) {
    case 'both-end':
      return first !== undefined || second !== undefined
    case 'first-ends':
      return first !== undefined
    case 'either-ends':
      return first !== undefined && second !== undefined
  }
}
