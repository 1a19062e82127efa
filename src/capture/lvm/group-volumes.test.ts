// Volume groups that the real tools made or took; what `lvs` and `vgs` report is the oracle.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lvmDevices, needsLvm, type LvmDevices } from '../../../test/support/lvm-devices.ts'
import { readGroup, restoreGroup } from '../../../test/support/lvm-group.ts'
import { EVERY_KIND } from '../../../test/support/lvm-text.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import type { VolumeGroup } from '../../formats/lvm2/volume-group.ts'
import { parseVolume, VOLUME_FIELDS } from '../../linux/lvm/parse-volume.ts'
import { roomOfGroup, volumesOfGroup } from './group-volumes.ts'

const MIB = 1024 * 1024

/** What the provider gets when it asks LVM itself. */
function reported(lvm: LvmDevices): readonly LvmVolume[] {
  const rows = lvm.report('lvs', '--config', 'report/time_format="%s"', '-o', VOLUME_FIELDS.join(','))
  return rows.flatMap((row) => parseVolume(row) ?? [])
}

/** Nothing is active where there is no device-mapper. */
function comparable(volumes: readonly LvmVolume[]): readonly LvmVolume[] {
  return volumes
    .map((volume) => ({ ...volume, isActive: false, tags: volume.tags.toSorted() }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function assertRoom(group: VolumeGroup, lvm: LvmDevices): void {
  const [row] = lvm.report('vgs', '-o', 'vg_name,vg_free,vg_extent_size')
  assert.deepEqual(roomOfGroup(group), {
    name: row?.['vg_name'],
    freeBytes: Number(row?.['vg_free']),
    extentSizeBytes: Number(row?.['vg_extent_size']),
  })
}

test('volumesOfGroup() tells what lvs tells of volumes that LVM made', { skip: needsLvm() }, async () => {
  using folder = temporaryFolder()
  using lvm = lvmDevices(folder, { sizesBytes: [64 * MIB, 64 * MIB] })
  lvm.lvm('vgcreate', '-q', '-s', '1m', 'vg-one', ...lvm.devices)
  const create = (...words: readonly string[]): string =>
    lvm.lvm('lvcreate', '-q', '-an', '-Zn', '-Wn', '-y', ...words)
  create('-L', '10m', '-n', 'lin', '--addtag', 'icecore', '--addtag', 'a=b/c:d', 'vg-one')
  create('-i', '2', '-I', '64k', '-L', '12m', '-n', 'striped', 'vg-one')
  create('--type', 'zero', '-L', '4m', '-n', 'zeros', 'vg-one')
  lvm.lvm('lvextend', '-q', '-L', '+7m', 'vg-one/lin')
  const group = await readGroup(lvm)
  const volumes = volumesOfGroup(group, new Set())
  assert.equal(volumes.length, 3)
  assert.deepEqual(comparable(volumes), comparable(reported(lvm)))
  assert.ok(volumes.every(({ createdAtMs }) => createdAtMs > 0))
  const [first] = volumes
  assert.ok(first)
  const active = volumesOfGroup(group, new Set([first.uuid])).filter(({ isActive }) => isActive)
  assert.deepEqual(
    active.map(({ uuid }) => uuid),
    [first.uuid],
  )
  assertRoom(group, lvm)
})

test(
  'volumesOfGroup() tells what lvs tells of pools, thin volumes and snapshots',
  { skip: needsLvm() },
  async () => {
    using folder = temporaryFolder()
    using lvm = lvmDevices(folder, { sizesBytes: [64 * MIB, 64 * MIB] })
    restoreGroup(lvm, folder, EVERY_KIND)
    const group = await readGroup(lvm)
    const volumes = comparable(volumesOfGroup(group, new Set()))
    assert.deepEqual(volumes, comparable(reported(lvm)))
    const thin = volumes.find(({ name }) => name === 'thin2')
    assert.equal(thin?.originUuid, volumes.find(({ name }) => name === 'thin1')?.uuid)
    assert.equal(volumes.find(({ name }) => name === 'snap')?.isClassicSnapshot, true)
    assertRoom(group, lvm)
  },
)
