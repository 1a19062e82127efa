import type { ExtentLookup } from '../../images/mapped-image.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { openLogicalVolume } from '../lvm2/logical-volume-extents.ts'
import { volumeContent, type VolumeContent } from '../lvm2/volume-content.ts'
import { volumePath, type LogicalVolume } from '../lvm2/volume-group.ts'
import { imageOnGroup } from './image-on-group.ts'
import { openPool } from './open-pool.ts'
import type { MapBudget } from './read-volume-map.ts'
import { snapshotVolumeMap } from './snapshot-volume-map.ts'
import { thinVolumeMap } from './thin-volume-map.ts'
import type { StackGroup, UnmappedVolume, Volume, VolumeOrigin } from './volume.ts'

export type OpenedVolumes = {
  readonly volumes: readonly Pick<Volume, 'name' | 'origin' | 'image'>[]
  readonly unmapped: readonly UnmappedVolume[]
}

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
    case 'thin': {
      // Of a frozen disk, what is there now is what counts.
      const metadata = await openPool(group, content.pool, { snapshot: false })
      return await thinVolumeMap(group, { volume, ...content, metadata }, maps)
    }
    case 'snapshot':
      return await snapshotVolumeMap(group, content, maps)
  }
}

function refusalOf(error: unknown): Pick<UnmappedVolume, 'what' | 'reason'> {
  if (error instanceof UnmappedError) return { what: error.what, reason: error.message }
  if (error instanceof FormatError) return { what: `damaged: ${error.structure}`, reason: error.message }
  // A map that does not fit into memory, or names bytes beyond the end of a device.
  if (error instanceof RangeError) return { what: 'map', reason: error.message }
  throw error
}
