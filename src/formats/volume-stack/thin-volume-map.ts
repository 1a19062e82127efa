import assert from 'node:assert/strict'
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

/** A volume of the same pool and the same size, and its map over the same places of the pool's data. */
export type KnownThinVolume = { readonly deviceId: number; readonly table: ExtentTable }

/** The same, of what is known of an earlier volume: only where the two are mapped differently the pool is asked. */
export async function thinVolumeMapSince(
  { group }: StackGroup,
  { volume, pool, deviceId, metadata }: ThinVolumeInPool,
  { before, budget, signal }: { before: KnownThinVolume; budget: MapBudget; signal: AbortSignal },
): Promise<ExtentTable> {
  const { sizeBytes } = volume
  assert(before.table.sizeBytes === sizeBytes)
  const volumes = {
    before: { pool: metadata, deviceId: before.deviceId },
    after: { pool: metadata, deviceId },
  }
  const altered = alteredExtents({ ...volumes, sizeBytes }, signal)
  const data = openLogicalVolume(group, pool.dataVolume)
  const known = before.table.batches({ offset: 0, length: sizeBytes })
  const all = replaceExtents(known, composeExtents(altered, [data]))
  return await readVolumeMap(all, sizeBytes, budget)
}
