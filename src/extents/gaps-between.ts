import { endOf, type Range } from '../domain/range.ts'

/**
 * The bytes from `begin` to `end` that none of `ranges` covers, ascending, in the fewest ranges. They may come in any
 * order and overlap. For lists that fit into memory: what complementRanges() is for streams.
 */
export function gapsBetween(
  ranges: readonly Range[],
  within: { readonly begin: number; readonly end: number },
): Range[] {
  const gaps: Range[] = []
  let position = within.begin
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    if (range.offset >= within.end) break
    if (range.offset > position) gaps.push({ offset: position, length: range.offset - position })
    position = Math.max(position, endOf(range))
  }
  if (position < within.end) gaps.push({ offset: position, length: within.end - position })
  return gaps
}
