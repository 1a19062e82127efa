import type { RangeBatch } from '../../domain/range.ts'
import { complementRanges } from '../../extents/complement-ranges.ts'
import type { ExtentLookup } from '../../images/mapped-image.ts'
import { usedDataRanges } from '../dm-thin/thin-used-ranges.ts'
import { openLogicalVolume } from '../lvm2/logical-volume-extents.ts'
import { isSoleData } from '../lvm2/sole-use.ts'
import { thinPool } from '../lvm2/volume-content.ts'
import type { LogicalVolume } from '../lvm2/volume-group.ts'
import { openPool } from './open-pool.ts'
import type { StackGroup } from './volume.ts'

/** What of a pool's data volume no thin volume has, and where that volume lies. */
export type FreeInPool = { readonly map: ExtentLookup; readonly ranges: AsyncIterable<RangeBatch> }

/** Null where nothing is proven free. Throws FormatError and UnmappedError, also while the ranges are taken. */
export async function freeInPool(
  group: StackGroup,
  pool: LogicalVolume,
  signal: AbortSignal,
): Promise<FreeInPool | null> {
  const parts = thinPool(group.group, pool)
  // The pool is still to be told of volumes that were made or removed.
  if (parts.hasPendingMessages || !isSoleData(group.group, parts.dataVolume)) return null
  const metadata = await openPool(group, parts, { snapshot: false })
  const map = openLogicalVolume(group.group, parts.dataVolume)
  const sizeBytes = metadata.dataBlockCount * metadata.dataBlockBytes
  return { map, ranges: complementRanges(usedDataRanges(metadata, signal), { sizeBytes }) }
}
