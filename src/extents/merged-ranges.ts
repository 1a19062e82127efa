import { endOf, type Range } from '../domain/range.ts'

/** Ranges in any order, overlapping or not, as the fewest ascending ones. For lists that fit into memory. */
export function mergedRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = []
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = merged.at(-1)
    if (last === undefined || range.offset > endOf(last)) {
      merged.push(range)
    } else if (endOf(range) > endOf(last)) {
      merged[merged.length - 1] = { offset: last.offset, length: endOf(range) - last.offset }
    }
  }
  return merged
}
