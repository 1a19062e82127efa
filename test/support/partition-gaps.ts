import type { Range } from '../../src/domain/range.ts'
import { gapsBetween } from '../../src/extents/gaps-between.ts'
import type { PartitionTable } from '../../src/formats/partition-table.ts'

/**
 * What of a disk no partition and no table covers, ascending, in the fewest ranges. Boot loaders, damaged copies of
 * the table and forgotten partitions lie there: it is unknown, hence data.
 */
export function partitionGaps(table: PartitionTable, disk: { readonly sizeBytes: number }): Range[] {
  const covered = [...table.metadataRanges, ...table.partitions.map(({ range }) => range)]
  return gapsBetween(covered, { begin: 0, end: disk.sizeBytes })
}
