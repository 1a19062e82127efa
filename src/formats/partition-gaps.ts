import type { Range } from '../domain/range.ts'
import { gapsBetween } from '../extents/gaps-between.ts'
import type { PartitionTable } from './partition-table.ts'

/**
 * What of a disk no partition and no table covers, ascending, in the fewest ranges. Boot loaders, damaged copies of
 * the table and forgotten partitions lie there: it is unknown, hence data.
 */
export function partitionGaps(table: PartitionTable, disk: { readonly sizeBytes: number }): Range[] {
  const covered = [...table.metadataRanges, ...table.partitions.map(({ range }) => range)]
  return gapsBetween(covered, { begin: 0, end: disk.sizeBytes })
}
