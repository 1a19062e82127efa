import { composeExtents } from '../../extents/compose-extents.ts'
import type { ExtentTable } from '../../extents/extent-table.ts'
import { ExceptionStore } from '../dm-snapshot/exception-store.ts'
import { snapshotExtents } from '../dm-snapshot/snapshot-extents.ts'
import { FormatError } from '../format-error.ts'
import { openLogicalVolume } from '../lvm2/logical-volume-extents.ts'
import type { VolumeContent } from '../lvm2/volume-content.ts'
import type { LogicalVolume } from '../lvm2/volume-group.ts'
import { imageOnGroup } from './image-on-group.ts'
import { readVolumeMap, type MapBudget } from './read-volume-map.ts'
import type { StackGroup } from './volume.ts'

export type SnapshotContent = Extract<VolumeContent, { kind: 'snapshot' }>

/** The origin, but for the chunks that the store has; then down to the physical volumes. */
export async function snapshotVolumeMap(
  group: StackGroup,
  { origin, store, chunkSizeBytes, sizeBytes }: SnapshotContent,
  { budget, signal }: { readonly budget: MapBudget; readonly signal: AbortSignal },
): Promise<ExtentTable> {
  requireWithinOrigin(origin, store, sizeBytes)
  const originMap = openLogicalVolume(group.group, origin)
  const storeMap = openLogicalVolume(group.group, store)
  const exceptions = await ExceptionStore.open(imageOnGroup(group, storeMap))
  requireChunkSize(store, exceptions.chunkSizeBytes, chunkSizeBytes)
  const overBoth = snapshotExtents(exceptions, { sizeBytes }, signal)
  return await readVolumeMap(composeExtents(overBoth, [originMap, storeMap]), sizeBytes, budget)
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
