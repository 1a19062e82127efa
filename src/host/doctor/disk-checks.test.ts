import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlockDisk } from '../../linux/doctor/block-disks.ts'
import type { LvmSight } from '../../linux/doctor/lvm-sight.ts'
import { checkDiskGeometry } from './disk-geometry-check.ts'
import { checkDiskUsers } from './disk-users-check.ts'
import { checkDuplicateDisks } from './duplicate-disks-check.ts'
import type { Finding } from './finding.ts'
import { checkLvmSight } from './lvm-sight-check.ts'
import { checkMultipath, type MultipathFacts } from './multipath-check.ts'
import { checkReadableDisks } from './readable-disks-check.ts'
import type { DiskPair, TriedDisk } from './seen-disk.ts'
import { checkVisibleDisks } from './visible-disks-check.ts'
import { checkWriteProtection } from './write-protection-check.ts'

const WANTED = { name: 'wwn:naa.60000001', sizeBytes: 2 ** 30, sectorSizeBytes: 512 }

function disk(path: string, changes: Partial<TriedDisk> = {}): TriedDisk {
  return {
    kernelName: path.slice('/dev/'.length),
    path,
    kind: 'disk',
    identity: WANTED,
    transport: 'iscsi',
    isReadOnly: true,
    use: null,
    activeGroups: [],
    readFailure: null,
    ...changes,
  }
}

function pair(...found: readonly TriedDisk[]): readonly DiskPair[] {
  return [{ wanted: WANTED, found }]
}

function onlyOf(findings: readonly Finding[]): Finding {
  assert.equal(findings.length, 1, JSON.stringify(findings))
  const [finding] = findings
  assert.ok(finding)
  return finding
}

function multipath(...disks: readonly BlockDisk[]): MultipathFacts {
  return { disks, isInstalled: true, isRunning: true }
}

function lvmSees(
  groups: Readonly<Record<string, readonly string[]>>,
  usesDevicesFile: boolean = false,
): LvmSight {
  return { kind: 'known', usesDevicesFile, groups: new Map(Object.entries(groups)) }
}

function geometryOf(identity: Partial<typeof WANTED>): Finding {
  return onlyOf(checkDiskGeometry(pair(disk('/dev/sdb', { identity: { ...WANTED, ...identity } }))))
}

test('checkVisibleDisks() stops the SAN when no disk is seen, and warns of those that are not', () => {
  const other = { wanted: { ...WANTED, name: 'wwn:naa.60000002' }, found: [] }
  const nameless = { wanted: { ...WANTED, name: null }, found: [] }
  assert.equal(onlyOf(checkVisibleDisks(pair(disk('/dev/sdb')), 'db1')).verdict, 'ok')
  const none = onlyOf(checkVisibleDisks([other, nameless], 'db1'))
  assert.deepEqual([none.verdict, none.stops], ['wrong', 'san'])
  assert.match(none.advice ?? '', /wwn:naa.60000002 \(1.00 GiB\) and a disk without a name/)
  assert.equal(onlyOf(checkVisibleDisks([], 'db1')).stops, 'san')
  const some = checkVisibleDisks([...pair(disk('/dev/sdb')), other, nameless], 'db1')
  assert.deepEqual(
    some.map(({ verdict }) => verdict),
    ['ok', 'warning', 'warning'],
  )
})

test('checkDuplicateDisks() takes the one map over several paths, and nothing else for one disk', () => {
  assert.equal(onlyOf(checkDuplicateDisks(pair(disk('/dev/sdb')))).verdict, 'ok')
  const both = onlyOf(checkDuplicateDisks(pair(disk('/dev/sdb'), disk('/dev/sdc'))))
  assert.deepEqual([both.verdict, both.stops], ['wrong', 'san'])
  assert.match(both.sentence, /^\/dev\/sdb and \/dev\/sdc all say/)
  const map = disk('/dev/mapper/mpatha', { kind: 'map' })
  assert.equal(onlyOf(checkDuplicateDisks(pair(map, disk('/dev/sdb', { kind: 'path' })))).verdict, 'ok')
  const second = disk('/dev/mapper/mpathb', { kind: 'map' })
  assert.equal(onlyOf(checkDuplicateDisks(pair(map, second))).verdict, 'wrong')
})

test('checkDiskGeometry() refuses another size or sector size', () => {
  assert.equal(geometryOf({}).verdict, 'ok')
  assert.match(geometryOf({ sizeBytes: 2 ** 29 }).sentence, /536870912 bytes here and 1073741824 on/)
  assert.match(geometryOf({ sectorSizeBytes: 4096 }).sentence, /sectors of 4096 bytes here and of 512/)
  assert.equal(geometryOf({ sectorSizeBytes: 4096 }).stops, 'san')
})

test('checkReadableDisks(), checkWriteProtection() and checkDiskUsers() say which disk it is', () => {
  const good = pair(disk('/dev/sdb'))
  for (const check of [checkReadableDisks, checkWriteProtection, checkDiskUsers]) {
    assert.equal(onlyOf(check(good)).verdict, 'ok', check.name)
  }
  const unread = onlyOf(checkReadableDisks(pair(disk('/dev/sdb', { readFailure: 'EIO' }))))
  assert.deepEqual([unread.stops, unread.sentence], ['san', '/dev/sdb cannot be read directly: EIO'])
  const writable = onlyOf(checkWriteProtection(pair(disk('/dev/sdb', { isReadOnly: false }))))
  assert.equal(writable.verdict, 'warning')
  const used = onlyOf(checkDiskUsers(pair(disk('/dev/sdb', { use: 'it is mounted at "/mnt"' }))))
  assert.equal(used.verdict, 'wrong')
  assert.match(used.sentence, /in use here: it is mounted at "\/mnt"$/)
})

test('checkLvmSight() tells a group that is active from one that may become so, and from one that LVM leaves alone', () => {
  const good = pair(disk('/dev/sdb'))
  assert.equal(onlyOf(checkLvmSight({ kind: 'none' }, good)).verdict, 'ok')
  assert.equal(onlyOf(checkLvmSight({ kind: 'silent', reason: 'no' }, good)).verdict, 'unknown')
  assert.equal(onlyOf(checkLvmSight(lvmSees({ sda: ['root'] }), good)).verdict, 'ok')
  const seen = onlyOf(checkLvmSight(lvmSees({ sdb: ['vg0'] }), good))
  assert.equal(seen.verdict, 'warning')
  assert.match(seen.advice ?? '', /"r\|\^\/dev\/disk\/by-id\/wwn-0x60000001\$\|"/)
  const listed = onlyOf(checkLvmSight(lvmSees({ sdb: ['vg0'] }, true), good))
  assert.match(listed.advice ?? '', /lvmdevices --deldev \/dev\/sdb/)
  const active = onlyOf(checkLvmSight({ kind: 'none' }, pair(disk('/dev/sdb', { activeGroups: ['vg0'] }))))
  assert.equal(active.verdict, 'wrong')
  assert.match(active.advice ?? '', /vgchange --activate n vg0/)
})

test('checkMultipath() finds paths that no map joins', () => {
  const map = disk('/dev/mapper/mpatha', { kind: 'map' })
  const paths = [disk('/dev/sdb', { kind: 'path' }), disk('/dev/sdc', { kind: 'path' })]
  assert.equal(onlyOf(checkMultipath(multipath(map, ...paths))).verdict, 'ok')
  assert.equal(onlyOf(checkMultipath(multipath(disk('/dev/sdb')))).verdict, 'ok')
  const bare = multipath(disk('/dev/sdb'), disk('/dev/sdc'))
  assert.match(onlyOf(checkMultipath(bare)).advice ?? '', /mpathconf/)
  assert.match(onlyOf(checkMultipath({ ...bare, isInstalled: false })).advice ?? '', /Install/)
  assert.match(
    onlyOf(checkMultipath(multipath(map, ...paths, disk('/dev/sdd')))).sentence,
    /^\/dev\/sdd leads to the same/,
  )
  assert.match(
    onlyOf(checkMultipath({ ...multipath(map, ...paths), isRunning: false })).sentence,
    /no multipathd/,
  )
  // Disks without a name are not one disk for that.
  const nameless = { identity: { ...WANTED, name: null } }
  assert.equal(
    onlyOf(checkMultipath(multipath(disk('/dev/vda', nameless), disk('/dev/vdb', nameless)))).verdict,
    'ok',
  )
})
