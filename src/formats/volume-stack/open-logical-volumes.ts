import type { ExtentBatch } from '../../domain/extent.ts'
import { composeExtents } from '../../extents/compose-extents.ts'
import { ExtentTable } from '../../extents/extent-table.ts'
import type { ExtentLookup } from '../../images/mapped-image.ts'
import { ExceptionStore } from '../dm-snapshot/exception-store.ts'
import { snapshotExtents } from '../dm-snapshot/snapshot-extents.ts'
import { thinExtents } from '../dm-thin/thin-mappings.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { openLogicalVolume } from '../lvm2/logical-volume-extents.ts'
import { volumeContent, type ThinPool, type VolumeContent } from '../lvm2/volume-content.ts'
import { volumePath, type LogicalVolume } from '../lvm2/volume-group.ts'
import { imageOnGroup } from './image-on-group.ts'
import { openPool } from './open-pool.ts'
import type { StackGroup, UnmappedVolume, Volume, VolumeOrigin } from './volume.ts'

export type OpenedVolumes = {
  readonly volumes: readonly Pick<Volume, 'name' | 'origin' | 'image'>[]
  readonly unmapped: readonly UnmappedVolume[]
}

/** Maps of thin volumes and snapshots are kept in memory: 24 bytes an extent. */
export type MapBudget = { extentCount: number }

type Maps = { readonly budget: MapBudget; readonly signal: AbortSignal }

/**
 * The logical volumes of a group that people see, as images; those that cannot be mapped by name. What their maps take
 * is taken from the budget.
 */
export async function openLogicalVolumes(group: StackGroup, maps: Maps): Promise<OpenedVolumes> {
  const volumes: OpenedVolumes['volumes'][number][] = []
  const unmapped: UnmappedVolume[] = []
  for (const volume of group.group.logicalVolumes) {
    if (!volume.isVisible || isPool(volume)) continue
    maps.signal.throwIfAborted()
    const name = volumePath(group.group, volume)
    try {
      const origin = await originOf(group, volume, maps)
      // The disks keep what was read of them: a cache for each volume would know no bound.
      volumes.push({ name, origin, image: imageOnGroup(group, origin.map) })
    } catch (error) {
      unmapped.push({ name, group, ...refusalOf(error) })
    }
  }
  return { volumes, unmapped }
}

type LogicalOrigin = Extract<VolumeOrigin, { kind: 'logical-volume' }>

/** A pool shows nothing itself; its thin volumes do. */
function isPool(volume: LogicalVolume): boolean {
  return volume.segments[0]?.kind === 'thin-pool'
}

async function originOf(group: StackGroup, volume: LogicalVolume, maps: Maps): Promise<LogicalOrigin> {
  const content = volumeContent(group.group, volume)
  const map = await mapOf(group, volume, { content, maps })
  return { kind: 'logical-volume', group, volume, devices: group.devices, map, type: content.kind }
}

async function mapOf(
  group: StackGroup,
  volume: LogicalVolume,
  how: { readonly content: VolumeContent; readonly maps: Maps },
): Promise<ExtentLookup> {
  const { content, maps } = how
  switch (content.kind) {
    case 'segments':
      return openLogicalVolume(group.group, volume)
    case 'thin':
      return await thinMap(group, { volume, pool: content.pool, deviceId: content.deviceId }, maps)
    case 'snapshot':
      return await snapshotMap(group, content, maps)
  }
}

/** Over the pool's data volume first, then down to the physical volumes. */
async function thinMap(
  group: StackGroup,
  thin: { readonly volume: LogicalVolume; readonly pool: ThinPool; readonly deviceId: number },
  maps: Maps,
): Promise<ExtentLookup> {
  const pool = await openPool(group, thin.pool)
  const { sizeBytes } = thin.volume
  const range = { offset: 0, length: sizeBytes }
  const overData = thinExtents({ pool, deviceId: thin.deviceId }, range, maps.signal)
  const data = openLogicalVolume(group.group, thin.pool.dataVolume)
  return await readMap(composeExtents(overData, [data]), sizeBytes, maps.budget)
}

async function readMap(
  extents: AsyncIterable<ExtentBatch>,
  sizeBytes: number,
  budget: MapBudget,
): Promise<ExtentTable> {
  const table = await ExtentTable.read(extents, { sizeBytes, extentCountMax: budget.extentCount })
  budget.extentCount -= table.count
  return table
}

type SnapshotContent = Extract<VolumeContent, { kind: 'snapshot' }>

/** The origin, but for the chunks that the store has; then down to the physical volumes. */
async function snapshotMap(
  group: StackGroup,
  { origin, store, chunkSizeBytes, sizeBytes }: SnapshotContent,
  { budget, signal }: Maps,
): Promise<ExtentLookup> {
  requireWithinOrigin(origin, store, sizeBytes)
  const originMap = openLogicalVolume(group.group, origin)
  const storeMap = openLogicalVolume(group.group, store)
  const exceptions = await ExceptionStore.open(imageOnGroup(group, storeMap))
  requireChunkSize(store, exceptions.chunkSizeBytes, chunkSizeBytes)
  const overBoth = snapshotExtents(exceptions, { sizeBytes }, signal)
  return await readMap(composeExtents(overBoth, [originMap, storeMap]), sizeBytes, budget)
}

function requireWithinOrigin(origin: LogicalVolume, store: LogicalVolume, sizeBytes: number): void {
  if (sizeBytes <= origin.sizeBytes) return
  const place = { structure: `snapshot "${store.name}"`, offsetBytes: 0 }
  throw new FormatError(place, `it has ${sizeBytes} bytes, its origin "${origin.name}" ${origin.sizeBytes}`)
}

function requireChunkSize(store: LogicalVolume, found: number, expected: number): void {
  if (found === expected) return
  const place = { structure: `exception store of logical volume "${store.name}"`, offsetBytes: 0 }
  throw new FormatError(place, `its chunks have ${found} bytes, the volume group says ${expected}`)
}

function refusalOf(error: unknown): Pick<UnmappedVolume, 'what' | 'reason'> {
  if (error instanceof UnmappedError) return { what: error.what, reason: error.message }
  if (error instanceof FormatError) return { what: `damaged: ${error.structure}`, reason: error.message }
  // A map that does not fit into memory, or names bytes beyond the end of a device.
  if (error instanceof RangeError) return { what: 'map', reason: error.message }
  throw error
}
