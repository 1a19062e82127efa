import type { PhysicalUse, Segment, VolumeGroup } from './volume-group.ts'

/** The extents of one physical volume that any segment uses, ascending by their start; they may overlap. */
export function usesOfDevice(group: VolumeGroup, device: number): readonly PhysicalUse[] {
  return group.logicalVolumes
    .flatMap((volume) => volume.segments)
    .flatMap(usesOfSegment)
    .filter((use) => use.device === device)
    .toSorted((a, b) => a.startExtent - b.startExtent)
}

function usesOfSegment(segment: Segment): readonly PhysicalUse[] {
  if (segment.kind === 'unmapped') return segment.uses
  if (segment.kind !== 'striped') return []
  const extentCount = segment.extentCount / segment.areas.length
  return segment.areas.flatMap((area) =>
    area.kind === 'physical' ? [{ device: area.device, startExtent: area.startExtent, extentCount }] : [],
  )
}
