import assert from 'node:assert/strict'
import { endOf, type Range } from '../../domain/range.ts'
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
  const free: Range[] = []
  let position = device.peStartBytes
  for (const range of used.toSorted((a, b) => a.offset - b.offset)) {
    if (range.offset >= end) break
    if (range.offset > position) free.push({ offset: position, length: range.offset - position })
    position = Math.max(position, endOf(range))
  }
  if (position < end) free.push({ offset: position, length: end - position })
  return free
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
  return merged(ranges.filter((range) => range.length > 0))
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

function merged(ranges: readonly Range[]): readonly Range[] {
  const result: Range[] = []
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = result.at(-1)
    if (last === undefined || range.offset > endOf(last)) {
      result.push(range)
    } else if (endOf(range) > endOf(last)) {
      result[result.length - 1] = { offset: last.offset, length: endOf(range) - last.offset }
    }
  }
  return result
}
