import type { FormatError } from '../format-error.ts'
import type { LogicalVolume, Segment, VolumeGroup } from './volume-group.ts'

/** Volumes lie on volumes that lie on volumes: a pool of striped legs in a cache is five deep. */
const DEPTH_MAX = 32

/** Another logical volume that a segment cannot do without. */
type Reference = {
  readonly volumeName: string
  /** How much of it there must be. */
  readonly endExtent: number
}

/**
 * Requires of all volumes of a group that those they are made of exist, are large enough, and that none is made of
 * itself: whoever follows them later meets no end and no cycle.
 */
export function requireSoundReferences(group: VolumeGroup, damage: (found: string) => FormatError): void {
  const volumes = new Map(group.logicalVolumes.map((volume) => [volume.name, volume]))
  for (const volume of group.logicalVolumes) {
    for (const segment of volume.segments) {
      for (const { volumeName, endExtent } of referencesOf(segment)) {
        const extentCount = volumes.get(volumeName)?.extentCount
        if (extentCount === undefined) {
          throw damage(`"${volume.name}" lies on "${volumeName}", which does not exist`)
        }
        if (endExtent > extentCount) {
          throw damage(
            `"${volume.name}" uses "${volumeName}" up to extent ${endExtent}, it has ${extentCount}`,
          )
        }
      }
    }
  }
  requireNoCycle(group.logicalVolumes, volumes, damage)
}

/** Every volume's height above the disks, from the lowest up; what has none is part of a cycle. */
function requireNoCycle(
  logicalVolumes: readonly LogicalVolume[],
  volumes: ReadonlyMap<string, LogicalVolume>,
  damage: (found: string) => FormatError,
): void {
  const resolved = new Set<string>()
  const resolve = (volume: LogicalVolume, depth: number): void => {
    if (resolved.has(volume.name)) return
    if (depth > DEPTH_MAX) throw damage(`"${volume.name}" is made of itself, or lies too deep in others`)
    for (const segment of volume.segments) {
      for (const { volumeName } of referencesOf(segment)) {
        const lower = volumes.get(volumeName)
        if (lower !== undefined) resolve(lower, depth + 1)
      }
    }
    resolved.add(volume.name)
  }
  for (const volume of logicalVolumes) resolve(volume, 0)
}

/** What a thin volume says of its origin is not followed: it names what it once was a copy of. */
function referencesOf(segment: Segment): readonly Reference[] {
  switch (segment.kind) {
    case 'striped': {
      const areaExtents = segment.extentCount / segment.areas.length
      return segment.areas.flatMap((area) =>
        area.kind === 'logical'
          ? [{ volumeName: area.volumeName, endExtent: area.startExtent + areaExtents }]
          : [],
      )
    }
    case 'thin-pool':
      return whole(segment.dataVolumeName, segment.metadataVolumeName)
    case 'thin':
      return whole(segment.poolName)
    case 'snapshot':
      return whole(segment.originName, segment.storeName)
    case 'zero':
    case 'unmapped':
      return []
  }
}

function whole(...volumeNames: readonly string[]): readonly Reference[] {
  return volumeNames.map((volumeName) => ({ volumeName, endExtent: 0 }))
}
