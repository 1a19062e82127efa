import { findLogicalVolume } from './find-logical-volume.ts'
import type { LogicalVolume, Segment, VolumeGroup } from './volume-group.ts'

const COUNTS = new WeakMap<VolumeGroup, ReadonlyMap<string, number>>()

/**
 * Whether what a volume's own content gives up is free: no other volume shows its bytes, neither it nor anything it
 * lies on. An origin is not free of its snapshots, nor a volume of the thin ones that have it outside their pool.
 */
export function isSoleUser(group: VolumeGroup, volume: LogicalVolume): boolean {
  return useCount(group, volume.name) === 0 && areUsedOnce(group, volume)
}

/** Whether a thin pool alone uses the volume that its data lies on. */
export function isSoleData(group: VolumeGroup, dataVolume: LogicalVolume): boolean {
  return useCount(group, dataVolume.name) === 1 && areUsedOnce(group, dataVolume)
}

/** References of a group that was parsed end. */
function areUsedOnce(group: VolumeGroup, volume: LogicalVolume): boolean {
  return volume.segments.flatMap(lowerNames).every((name) => {
    const lower = findLogicalVolume(group, name)
    return lower !== null && useCount(group, name) === 1 && areUsedOnce(group, lower)
  })
}

/** In how many places the volumes of a group name a volume. */
function useCount(group: VolumeGroup, name: string): number {
  let counts = COUNTS.get(group)
  if (counts === undefined) {
    const counted = new Map<string, number>()
    for (const { segments } of group.logicalVolumes) {
      for (const used of segments.flatMap(usedNames)) counted.set(used, (counted.get(used) ?? 0) + 1)
    }
    COUNTS.set(group, counted)
    counts = counted
  }
  return counts.get(name) ?? 0
}

function lowerNames(segment: Segment): readonly string[] {
  if (segment.kind !== 'striped') return []
  return segment.areas.flatMap((area) => (area.kind === 'logical' ? [area.volumeName] : []))
}

/** All volumes whose bytes a segment shows or changes. What a thin volume says of its pool and of its origin there is not one. */
function usedNames(segment: Segment): readonly string[] {
  switch (segment.kind) {
    case 'striped':
      return lowerNames(segment)
    case 'zero':
      return []
    case 'thin-pool':
      return [segment.dataVolumeName, segment.metadataVolumeName]
    case 'thin':
      return segment.externalOriginName === null ? [] : [segment.externalOriginName]
    case 'snapshot':
      return [segment.originName, segment.storeName]
    case 'unmapped':
      return segment.names
  }
}
