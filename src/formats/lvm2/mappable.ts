import { FormatError, UnmappedError } from '../format-error.ts'
import { findLogicalVolume } from './find-logical-volume.ts'
import {
  volumePath,
  type LogicalVolume,
  type Segment,
  type SegmentArea,
  type VolumeGroup,
} from './volume-group.ts'

/**
 * Requires that every byte of a volume can be mapped to a device that is here, also through the volumes that it lies
 * on. Throws UnmappedError with the name of what is in the way, FormatError where extents end beyond their device.
 */
export function requireMappable(group: VolumeGroup, volume: LogicalVolume): void {
  const seen = new Set([volume.name])
  const waiting = [volume]
  for (let lower = waiting.pop(); lower !== undefined; lower = waiting.pop()) {
    for (const segment of lower.segments) {
      for (const area of requireAreas(segment, { group, asked: volume, volume: lower })) {
        if (area.kind === 'physical') {
          requireDevice(area, segment, { group, asked: volume })
          continue
        }
        const next = findLogicalVolume(group, area.volumeName)
        if (next === null || seen.has(next.name)) continue
        seen.add(next.name)
        waiting.push(next)
      }
    }
  }
}

function requireAreas(
  segment: Segment,
  where: { readonly group: VolumeGroup; readonly asked: LogicalVolume; readonly volume: LogicalVolume },
): readonly SegmentArea[] {
  switch (segment.kind) {
    case 'striped':
      return segment.areas
    case 'zero':
      return []
    case 'thin':
    case 'thin-pool':
    case 'snapshot':
      throw unmapped(segment.kind, `it is mapped by metadata of its own, not by segments`, where)
    case 'unmapped':
      throw unmapped(segment.type, `type "${segment.type}" is not mapped`, where)
  }
}

function unmapped(
  type: string,
  reason: string,
  where: { readonly group: VolumeGroup; readonly asked: LogicalVolume; readonly volume: LogicalVolume },
): UnmappedError {
  const { group, asked, volume } = where
  const lower = asked === volume ? '' : `it lies on "${volumePath(group, volume)}", and of that `
  return new UnmappedError(
    `${type} logical volume`,
    `Cannot map logical volume "${volumePath(group, asked)}": ${lower}${reason}`,
  )
}

function requireDevice(
  area: Extract<SegmentArea, { kind: 'physical' }>,
  segment: Segment,
  { group, asked }: { readonly group: VolumeGroup; readonly asked: LogicalVolume },
): void {
  const device = group.physicalVolumes[area.device]
  const image = device?.image ?? null
  if (device === undefined || image === null || device.isMarkedMissing) {
    const state = image === null ? 'is missing' : 'is one that its group goes without'
    throw new UnmappedError(
      'missing physical volume',
      `Cannot map logical volume "${volumePath(group, asked)}": physical volume "${device?.name}" ` +
        `(${device?.uuid}, last seen as "${device?.deviceHint}") ${state}`,
    )
  }
  const areaCount = segment.kind === 'striped' ? segment.areas.length : 1
  const endExtent = area.startExtent + segment.extentCount / areaCount
  const endBytes = device.peStartBytes + endExtent * group.extentSizeBytes
  if (endBytes > image.sizeBytes) {
    throw new FormatError(
      {
        structure: `logical volume "${volumePath(group, asked)}" on physical volume "${device.uuid}"`,
        offsetBytes: device.peStartBytes + area.startExtent * group.extentSizeBytes,
      },
      `its extents end at byte ${endBytes}, the device has ${image.sizeBytes}`,
    )
  }
}
