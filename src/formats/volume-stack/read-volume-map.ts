import type { ExtentBatch } from '../../domain/extent.ts'
import { ExtentTable } from '../../extents/extent-table.ts'

/** Maps of thin volumes and snapshots are kept in memory: 24 bytes an extent. */
export type MapBudget = { extentCount: number }

/** Reads a map into memory, and takes what it needs from the budget. Throws RangeError when that is not enough. */
export async function readVolumeMap(
  extents: AsyncIterable<ExtentBatch>,
  sizeBytes: number,
  budget: MapBudget,
): Promise<ExtentTable> {
  const table = await ExtentTable.read(extents, { sizeBytes, extentCountMax: budget.extentCount })
  budget.extentCount -= table.count
  return table
}
