import assert from 'node:assert/strict'
import type { RangeBatch } from '../../domain/range.ts'
import { composeExtents } from '../../extents/compose-extents.ts'
import type { ExtentTable } from '../../extents/extent-table.ts'
import { replaceExtents } from '../../extents/replace-extents.ts'
import { alteredExtents } from '../dm-thin/altered-extents.ts'
import { thinExtents } from '../dm-thin/thin-mappings.ts'
import type { ThinPool as PoolMetadata } from '../dm-thin/thin-pool.ts'
import { openLogicalVolume } from '../lvm2/logical-volume-extents.ts'
import type { ThinPool } from '../lvm2/volume-content.ts'
import type { LogicalVolume } from '../lvm2/volume-group.ts'
import { readVolumeMap, type MapBudget } from './read-volume-map.ts'
import type { StackGroup } from './volume.ts'

export type ThinVolumeInPool = {
  readonly volume: LogicalVolume
  readonly pool: ThinPool
  readonly deviceId: number
  /** Of `openPool()`. */
  readonly metadata: PoolMetadata
}

/** The map of a thin volume over the disks of its group: over the pool's data volume first, then down. */
export async function thinVolumeMap(
  { group }: StackGroup,
  { volume, pool, deviceId, metadata }: ThinVolumeInPool,
  maps: { readonly budget: MapBudget; readonly signal: AbortSignal },
): Promise<ExtentTable> {
  const { sizeBytes } = volume
  const range = { offset: 0, length: sizeBytes }
  const overData = thinExtents({ pool: metadata, deviceId }, range, maps.signal)
  const data = openLogicalVolume(group, pool.dataVolume)
  return await readVolumeMap(composeExtents(overData, [data]), sizeBytes, maps.budget)
}

/** A volume's map over the same places of the pool's data, and where this one is mapped otherwise. */
export type EarlierThinMap = { readonly table: ExtentTable; readonly changes: Iterable<RangeBatch> }

/** The same, of the map of an earlier volume of the same pool and size: only what changed is asked for. */
export async function thinVolumeMapSince(
  { group }: StackGroup,
  { volume, pool, deviceId, metadata }: ThinVolumeInPool,
  { before, budget, signal }: { before: EarlierThinMap; budget: MapBudget; signal: AbortSignal },
): Promise<ExtentTable> {
  const { sizeBytes } = volume
  assert(before.table.sizeBytes === sizeBytes)
  const altered = alteredExtents({ pool: metadata, deviceId }, before.changes, signal)
  const data = openLogicalVolume(group, pool.dataVolume)
  const known = before.table.batches({ offset: 0, length: sizeBytes })
  const all = replaceExtents(known, composeExtents(altered, [data]))
  return await readVolumeMap(all, sizeBytes, budget)
}
