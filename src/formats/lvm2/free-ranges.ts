import assert from 'node:assert/strict'
import type { Range } from '../../domain/range.ts'
import { gapsBetween } from '../../extents/gaps-between.ts'
import { mergedRanges } from '../../extents/merged-ranges.ts'
import { usesOfDevice } from './physical-uses.ts'
import type { GroupDevice, VolumeGroup } from './volume-group.ts'

/**
 * The bytes of a physical volume that no logical volume of its group uses, ascending: whole extents, less what its
 * own metadata lies on. Everything else is in use; of a device that is not there nothing is known to be free.
 */
export function freeRanges(group: VolumeGroup, deviceIndex: number): readonly Range[] {
  const device = deviceOf(group, deviceIndex)
  if (device.image === null) return []
  const end = Math.min(endOfExtents(group, device), device.image.sizeBytes)
  const used = [...extentRanges(group, deviceIndex), ...ownRanges(group, deviceIndex)]
  return gapsBetween(used, { begin: device.peStartBytes, end })
}

/**
 * What LVM keeps for itself of a physical volume: all before the first extent and behind the last one, the label, the
 * metadata areas, the boot loader areas. Ascending; they touch or overlap nowhere.
 */
export function ownRanges(group: VolumeGroup, deviceIndex: number): readonly Range[] {
  const device = deviceOf(group, deviceIndex)
  if (device.image === null) return []
  const { sizeBytes } = device.image
  const extentsEnd = Math.min(endOfExtents(group, device), sizeBytes)
  const ranges = [
    { offset: 0, length: Math.min(device.peStartBytes, sizeBytes) },
    { offset: extentsEnd, length: sizeBytes - extentsEnd },
    ...device.image.ownRanges,
  ]
  return mergedRanges(ranges.filter((range) => range.length > 0))
}

function deviceOf(group: VolumeGroup, deviceIndex: number): GroupDevice {
  const device = group.physicalVolumes[deviceIndex]
  assert(device !== undefined, 'a physical volume of the group')
  return device
}

function endOfExtents(group: VolumeGroup, device: GroupDevice): number {
  return device.peStartBytes + device.peCount * group.extentSizeBytes
}

function extentRanges(group: VolumeGroup, deviceIndex: number): readonly Range[] {
  const { peStartBytes } = deviceOf(group, deviceIndex)
  return usesOfDevice(group, deviceIndex)
    .filter((use) => use.extentCount > 0)
    .map((use) => ({
      offset: peStartBytes + use.startExtent * group.extentSizeBytes,
      length: use.extentCount * group.extentSizeBytes,
    }))
}
