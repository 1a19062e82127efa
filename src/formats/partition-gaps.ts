import { endOf, type Range } from '../domain/range.ts'
import type { PartitionTable } from './partition-table.ts'

/**
 * What of a disk no partition and no table covers, ascending, in the fewest ranges. Boot loaders, damaged copies of
 * the table and forgotten partitions lie there: it is unknown, hence data.
 */
export function partitionGaps(table: PartitionTable, disk: { readonly sizeBytes: number }): Range[] {
  const gaps: Range[] = []
  let position = 0
  for (const range of ascending([...table.metadataRanges, ...table.partitions.map((each) => each.range)])) {
    if (range.offset > position) gaps.push({ offset: position, length: range.offset - position })
    position = Math.max(position, endOf(range))
  }
  if (position < disk.sizeBytes) gaps.push({ offset: position, length: disk.sizeBytes - position })
  return gaps
}

/** Ranges in any order, overlapping or not, as the fewest ascending ones. */
export function mergedRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = []
  for (const range of ascending(ranges)) {
    const last = merged.at(-1)
    if (last === undefined || range.offset > endOf(last)) {
      merged.push(range)
    } else if (endOf(range) > endOf(last)) {
      merged[merged.length - 1] = { offset: last.offset, length: endOf(range) - last.offset }
    }
  }
  return merged
}

function ascending(ranges: readonly Range[]): Range[] {
  return ranges.toSorted((a, b) => a.offset - b.offset)
}
