// Volume groups that the real tools made or took, read from their devices; what `lvs` and `pvs` report is the oracle.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { lvmDevices, needsLvm, type LvmDevices } from '../../../test/support/lvm-devices.ts'
import { readGroup, restoreGroup } from '../../../test/support/lvm-group.ts'
import { EVERY_KIND } from '../../../test/support/lvm-text.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { Extent } from '../../domain/extent.ts'
import { endOf } from '../../domain/range.ts'
import { UnmappedError } from '../format-error.ts'
import { freeRanges, ownRanges } from './free-ranges.ts'
import { findLogicalVolume } from './find-logical-volume.ts'
import { logicalVolumeExtents } from './logical-volume-extents.ts'
import type { LogicalVolume, VolumeGroup } from './volume-group.ts'
import { volumeContent } from './volume-content.ts'

const MIB = 1024 * 1024

function named(group: VolumeGroup, name: string): LogicalVolume {
  const volume = findLogicalVolume(group, name)
  assert(volume !== null, name)
  return volume
}

/** The device of a report's `/dev/loop3:10-13`, and the range in bytes. */
function physicalRange(
  text: string,
  { group, lvm }: { group: VolumeGroup; lvm: LvmDevices },
): { device: number; offset: number; length: number } {
  const [, path = '', first = '', last = ''] = /^(.*):([0-9]+)-([0-9]+)$/u.exec(text) ?? []
  const image = lvm.devices.indexOf(path)
  const device = group.physicalVolumes.findIndex((one) => one.image?.index === image)
  const facts = group.physicalVolumes[device]
  assert(facts !== undefined)
  const extents = Number(last) - Number(first) + 1
  return {
    device,
    offset: facts.peStartBytes + Number(first) * group.extentSizeBytes,
    length: extents * group.extentSizeBytes,
  }
}

/** The map as `lvs --segments` tells it, byte runs of a stripe each. */
function reportedMap(volume: LogicalVolume, group: VolumeGroup, lvm: LvmDevices): Extent[] {
  const fields = 'lv_name,segtype,seg_start_pe,seg_size_pe,seg_pe_ranges,stripes,stripe_size'
  const rows = lvm
    .report('lvs', '--segments', '-o', fields, group.name)
    .filter((row) => row['lv_name']?.replaceAll(/[[\]]/gu, '') === volume.name)
    .toSorted((a, b) => Number(a['seg_start_pe']) - Number(b['seg_start_pe']))
  return rows.flatMap((row) => {
    const start = Number(row['seg_start_pe']) * group.extentSizeBytes
    const size = Number(row['seg_size_pe']) * group.extentSizeBytes
    if (row['segtype'] === 'zero') return [{ kind: 'zero', offset: start, length: size } as const]
    const ranges = (row['seg_pe_ranges'] ?? '').split(' ').map((text) => physicalRange(text, { group, lvm }))
    const stripe = ranges.length === 1 ? size : Number(row['stripe_size'])
    return Array.from({ length: size / stripe }, (_, index): Extent => {
      const range = ranges[index % ranges.length]
      assert(range !== undefined)
      const physicalOffset = range.offset + Math.floor(index / ranges.length) * stripe
      return {
        kind: 'data',
        offset: start + index * stripe,
        length: stripe,
        device: range.device,
        physicalOffset,
      }
    })
  })
}

function joined(extents: readonly Extent[]): Extent[] {
  const result: Extent[] = []
  for (const next of extents) {
    const last = result.at(-1)
    const follows =
      last?.kind === 'data' &&
      next.kind === 'data' &&
      last.device === next.device &&
      last.physicalOffset + last.length === next.physicalOffset
    if (last !== undefined && follows)
      result[result.length - 1] = { ...last, length: endOf(next) - last.offset }
    else result.push(next)
  }
  return result
}

function assertFreeAsReported(group: VolumeGroup, lvm: LvmDevices): void {
  const rows = lvm.report('pvs', '--segments', '-o', 'pv_name,pvseg_start,pvseg_size,segtype')
  for (const [index, device] of group.physicalVolumes.entries()) {
    const path = lvm.devices[device.image?.index ?? -1]
    const expected = rows
      .filter((row) => row['pv_name'] === path && row['segtype'] === 'free')
      .map((row) => ({
        offset: device.peStartBytes + Number(row['pvseg_start']) * group.extentSizeBytes,
        length: Number(row['pvseg_size']) * group.extentSizeBytes,
      }))
      .filter((range) => range.length > 0)
    assert.deepEqual(freeRanges(group, index), expected)
  }
}

for (const sectorSizeBytes of [512, 4096]) {
  test(
    `logicalVolumeExtents() and freeRanges() are what lvs and pvs report, sectors of ${sectorSizeBytes} bytes`,
    { skip: needsLvm() },
    async () => {
      using folder = temporaryFolder()
      using lvm = lvmDevices(folder, { sizesBytes: [64 * MIB, 48 * MIB, 64 * MIB], sectorSizeBytes })
      const [first = '', second = '', third = ''] = lvm.devices
      lvm.lvm('pvcreate', '-q', first)
      lvm.lvm('pvcreate', '-q', '--pvmetadatacopies', '2', second)
      lvm.lvm('pvcreate', '-q', '--pvmetadatacopies', '0', third)
      lvm.lvm('vgcreate', '-q', '-s', '1m', 'vg-one', first, second, third)
      const create = (...words: readonly string[]): string =>
        lvm.lvm('lvcreate', '-q', '-an', '-Zn', '-Wn', '-y', ...words)
      create('-L', '10m', '-n', 'lin', 'vg-one', first)
      create('-i', '3', '-I', '64k', '-L', '12m', '-n', 'striped', 'vg-one')
      create('-i', '2', '-I', '4k', '-L', '8m', '-n', 'fine', 'vg-one')
      create('-L', '5m', '-n', 'gone', 'vg-one', first)
      create('--type', 'zero', '-L', '4m', '-n', 'zeros', 'vg-one')
      lvm.lvm('lvextend', '-q', '-L', '+7m', 'vg-one/lin', first)
      lvm.lvm('lvextend', '-q', '-L', '+6m', 'vg-one/striped')
      create('-l', '30', '-n', 'spread', 'vg-one', second)
      lvm.lvm('lvextend', '-q', '-L', '+12m', 'vg-one/spread', third)
      lvm.lvm('lvremove', '-q', '-y', 'vg-one/gone')
      lvm.lvm('lvchange', '-q', '--addtag', 'prod', '-pr', 'vg-one/lin')
      const group = await readGroup(lvm)
      const [facts] = lvm.report('vgs', '-o', 'vg_name,vg_uuid,vg_seqno,vg_extent_size')
      assert(facts !== undefined)
      assert.equal(group.name, facts['vg_name'])
      assert.equal(group.uuid, facts['vg_uuid'])
      assert.equal(group.seqno, Number(facts['vg_seqno']))
      assert.equal(group.extentSizeBytes, Number(facts['vg_extent_size']))
      const rows = lvm.report('lvs', '-o', 'lv_name,lv_uuid,lv_size')
      assert.deepEqual(
        group.logicalVolumes.map(({ name, uuid, sizeBytes }) => `${name} ${uuid} ${sizeBytes}`).toSorted(),
        rows.map((row) => `${row['lv_name']} ${row['lv_uuid']} ${row['lv_size']}`).toSorted(),
      )
      assert.deepEqual(named(group, 'lin').tags, ['prod'])
      assert.equal(named(group, 'lin').isReadOnly, true)
      for (const volume of group.logicalVolumes) {
        const map = [...logicalVolumeExtents(group, volume)].flat()
        assert.deepEqual(map, joined(reportedMap(volume, group, lvm)), volume.name)
      }
      assertFreeAsReported(group, lvm)
      // The second copy of the metadata lies behind the extents.
      const own = ownRanges(group, 1)
      assert.equal(own.length, 2)
      assert.equal(endOf(own[1] ?? { offset: 0, length: 0 }), 48 * MIB)
    },
  )
}

test(
  'every kind of segment that LVM takes is mapped as lvs reports, or refused by name',
  { skip: needsLvm() },
  async () => {
    using folder = temporaryFolder()
    using lvm = lvmDevices(folder, { sizesBytes: [64 * MIB, 64 * MIB] })
    restoreGroup(lvm, folder, EVERY_KIND)
    const group = await readGroup(lvm)
    assertFreeAsReported(group, lvm)
    const mapped = ['lin', 'ro', 'snap', 'z', 'pool_tmeta', 'pool_tdata', 'r1_rimage_0']
    for (const name of mapped) {
      const volume = named(group, name)
      const map = [...logicalVolumeExtents(group, volume)].flat()
      assert.deepEqual(map, joined(reportedMap(volume, group, lvm)), name)
    }
    const refused: readonly (readonly [name: string, what: string])[] = [
      ['r1', 'raid1 logical volume'],
      ['e', 'error logical volume'],
      ['pvmove0', 'mirror logical volume'],
      ['moved', 'mirror logical volume'],
      ['thin1', 'thin logical volume'],
      ['pool', 'thin-pool logical volume'],
      ['snapshot0', 'snapshot logical volume'],
    ]
    for (const [name, what] of refused) {
      assert.throws(
        () => logicalVolumeExtents(group, named(group, name)),
        (error) =>
          error instanceof UnmappedError && error.what === what && error.message.includes(`group/${name}`),
        name,
      )
    }
    // What lvs shows in brackets is hidden.
    const rows = lvm.report('lvs', '-o', 'lv_name')
    const shown = new Set(rows.map((row) => row['lv_name']))
    for (const { name, isVisible } of group.logicalVolumes) assert.equal(isVisible, shown.has(name), name)
    const thin = volumeContent(group, named(group, 'thin2'))
    assert(thin.kind === 'thin')
    assert.deepEqual([thin.deviceId, thin.transactionId, thin.originName], [2, 1, 'thin1'])
    const { pool } = thin
    assert.deepEqual(
      [
        pool.volume.name,
        pool.dataVolume.name,
        pool.metadataVolume.name,
        pool.chunkSizeBytes,
        pool.transactionId,
      ],
      ['pool', 'pool_tdata', 'pool_tmeta', 64 * 1024, 2],
    )
    assert.deepEqual(
      [pool.zeroesNewChunks, pool.discards, pool.hasPendingMessages],
      [true, 'passdown', false],
    )
    const snapshot = volumeContent(group, named(group, 'snap'))
    assert(snapshot.kind === 'snapshot')
    assert.deepEqual(
      [snapshot.origin.name, snapshot.store.name, snapshot.chunkSizeBytes],
      ['lin', 'snap', 4096],
    )
    assert.equal(snapshot.sizeBytes, 4 * MIB)
  },
)
