import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'

import { assembleVolumeGroups } from '../../src/formats/lvm2/assemble-groups.ts'
import { readPhysicalVolume, type PhysicalVolume } from '../../src/formats/lvm2/physical-volume.ts'
import type { VolumeGroup } from '../../src/formats/lvm2/volume-group.ts'
import { cachedImage } from '../../src/images/cached-image.ts'
import { fileImage } from './bytes-image.ts'
import type { LvmDevices } from './lvm-devices.ts'
import { groupText, lvmUuid, type VolumeDraft } from './lvm-text.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

/** Has LVM take a volume group `group` with these volumes on all devices, of 64 MiB each. */
export function restoreGroup(
  lvm: LvmDevices,
  folder: TemporaryFolder,
  volumes: readonly VolumeDraft[],
): void {
  const devices = lvm.devices.map((_, index) => lvmUuid(`pv${index}`))
  const text = folder.join('group.vg')
  writeFileSync(text, groupText({ devices, volumes }))
  for (const [index, path] of lvm.devices.entries()) {
    lvm.lvm('pvcreate', '-q', '-ff', '-y', '--uuid', devices[index] ?? '', '--restorefile', text, path)
  }
  lvm.lvm('vgcfgrestore', '-q', '--force', '-y', '-f', text, 'group')
}

/** The one group that the devices have; nothing is wrong with it. */
export async function readGroup(lvm: LvmDevices): Promise<VolumeGroup> {
  const volumes: PhysicalVolume[] = []
  for (const path of lvm.images) {
    await using image = fileImage(path)
    const volume = await readPhysicalVolume(cachedImage(image))
    if (volume !== null) volumes.push(volume)
  }
  const { groups, damaged, findings, unclaimed } = assembleVolumeGroups(volumes)
  assert.deepEqual({ damaged, findings, unclaimed }, { damaged: [], findings: [], unclaimed: [] })
  const [group] = groups
  assert(group !== undefined && groups.length === 1)
  return group
}
