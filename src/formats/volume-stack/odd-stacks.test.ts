// Volumes in volumes, copies of disks, and what refers to itself.
import assert from 'node:assert/strict'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { bytesImage } from '../../../test/support/bytes-image.ts'
import {
  DISK_BYTES,
  diskUuids,
  diskWithText,
  EXTENT_BYTES,
  extentOffset,
  groupDisks,
  putOnDisk,
  type GroupDisksDraft,
} from '../../../test/support/group-disks.ts'
import {
  EVERY_KIND,
  groupText,
  linear,
  lvmUuid,
  whole,
  type VolumeDraft,
} from '../../../test/support/lvm-text.ts'
import { makeExt4 } from '../../../test/support/make-ext4.ts'
import { mixedBytes } from '../../../test/support/mixed-bytes.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import {
  assertNothingUsedIsFree,
  assertRanges,
  bytesOf,
  freeOnImages,
  stackOf,
  volumeNamed,
} from '../../../test/support/stack-of.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { UnmappedError } from '../format-error.ts'
import { openVolumeStack } from './open-volume-stack.ts'
import { selectFileSystem } from './select-file-system.ts'
import type { VolumeStack } from './volume.ts'
import { volumeLayer } from './volume-layer.ts'

const NEVER = new AbortController().signal

function ext4(extents: number): Uint8Array {
  using folder = temporaryFolder()
  const path = folder.join('ext4')
  makeExt4(path, { sizeBytes: extents * EXTENT_BYTES, words: ['-t', 'ext4', '-b', '1024'], fileCount: 9 })
  return new Uint8Array(readFileSync(path))
}

/** A disk that `sfdisk` partitioned, with content from a MiB on each. */
function partitioned(
  extents: number,
  script: string,
  parts: readonly (readonly [startMib: number, content: Uint8Array])[],
): Uint8Array {
  using folder = temporaryFolder()
  const path = folder.join('disk')
  writeFileSync(path, '')
  truncateSync(path, extents * EXTENT_BYTES)
  runTool('sfdisk', ['--quiet', '--force', path], { input: script })
  const bytes = new Uint8Array(readFileSync(path))
  for (const [startMib, content] of parts) bytes.set(content, startMib * EXTENT_BYTES)
  return bytes
}

function oneDisk(
  draft: GroupDisksDraft,
  ...contents: readonly (readonly [extent: number, content: Uint8Array])[]
): Uint8Array {
  const [disk] = groupDisks(draft)
  assert(disk !== undefined)
  for (const [extent, content] of contents) putOnDisk(disk, extent, content)
  return disk
}

function contentsOf(stack: VolumeStack): Record<string, string> {
  return Object.fromEntries(stack.volumes.map(({ name, content }) => [name, content.kind]))
}

const SMALL = ext4(4)

test('a partition table in a logical volume on a partition is followed, down to the disk', async () => {
  const guest = partitioned(16, 'label: gpt\nstart=1MiB, size=4MiB\nstart=6MiB, size=4MiB\n', [
    [1, SMALL],
    [6, SMALL],
  ])
  const volumes = [{ name: 'guest', segments: [linear(0, 10, '"pv0", 30'), linear(10, 6, '"pv0", 5')] }]
  const group = oneDisk(
    { volumes },
    [30, guest.subarray(0, 10 * EXTENT_BYTES)],
    [5, guest.subarray(10 * EXTENT_BYTES)],
  )
  const disk = partitioned(70, 'label: gpt\nstart=2MiB, size=64MiB\n', [[2, group]])
  const stack = await stackOf(disk)
  assert.deepEqual(contentsOf(stack), {
    '': 'partition-table',
    p1: 'physical-volume',
    'group/guest': 'partition-table',
    'group/guest/p1': 'file-system',
    'group/guest/p2': 'file-system',
  })
  // Its second partition is extents 6 to 9 of the volume.
  const start = 2 * EXTENT_BYTES + extentOffset(36)
  assert.deepEqual(
    [...volumeLayer(volumeNamed(stack, 'group/guest/p2')).extentsIn({ offset: 0, length: 4 * EXTENT_BYTES })],
    [{ kind: 'data', offset: 0, length: 4 * EXTENT_BYTES, device: 0, physicalOffset: start }],
  )
  await assertNothingUsedIsFree(stack)
  const [free = []] = await freeOnImages(stack)
  assertRanges(free, disk.byteLength)
  // 47 extents that no volume has, and more than half of two file systems.
  assert(bytesOf(free) > 51 * EXTENT_BYTES && bytesOf(free) < 55 * EXTENT_BYTES)
  assert.throws(
    () =>
      volumeLayer(volumeNamed(stack, 'group/guest/p2')).extentsIn({ offset: 0, length: 5 * EXTENT_BYTES }),
    {
      name: 'FormatError',
    },
  )
})

const GUEST: readonly VolumeDraft[] = [{ name: 'root', segments: [linear(0, 4, '"pv0", 1')] }]

/** A machine's disk of 64 extents, which is small enough for two of them in a group of larger extents. */
function guestDisk(idPrefix: string, uuid: string): Uint8Array {
  return oneDisk({ name: 'vg', uuid: lvmUuid(uuid), idPrefix, volumes: GUEST }, [1, SMALL])
}

/** The disk of a host whose two volumes are the disks of machines. */
function hostDisk(guests: readonly Uint8Array[]): Uint8Array {
  const uuid = lvmUuid('host0')
  const segments = guests.map((_, index) => linear(0, 64, `"pv0", ${index * 64}`))
  const volumes = segments.map((segment, index) => ({ name: `vm${index + 1}`, segments: [segment] }))
  const text = groupText({ name: 'host', uuid: lvmUuid('hostgroup'), devices: [uuid], volumes }).replace(
    'pe_count = 63',
    'pe_count = 130',
  )
  const disk = new Uint8Array(131 * EXTENT_BYTES)
  disk.set(diskWithText(uuid, text))
  for (const [index, guest] of guests.entries()) disk.set(guest, extentOffset(index * 64))
  return disk
}

test('groups of one name in the volumes of a host have volumes of different names', async () => {
  const stack = await stackOf(hostDisk([guestDisk('a', 'groupa'), guestDisk('b', 'groupb')]))
  assert.deepEqual(
    stack.volumes.map(({ name }) => name),
    ['', 'host/vm1', 'host/vm2', 'vg/root', 'vg/root#2'],
  )
  await assertNothingUsedIsFree(stack)
  const [free = []] = await freeOnImages(stack)
  // Two of the host's extents, and of each machine 59 and half of a file system.
  assert(bytesOf(free) > 121 * EXTENT_BYTES)
  assert.equal(selectFileSystem(stack, 'vg/root#2').volume, stack.volumes[4])
})

test('of a machine and its copy neither is put together, and nothing of them is free', async () => {
  const stack = await stackOf(hostDisk([guestDisk('a', 'groupa'), guestDisk('a', 'groupa')]))
  assert.equal(stack.groups.length, 1)
  assert.match(
    stack.findings[0]?.found ?? '',
    /it is also on "host\/vm2": neither is part of a volume group here/,
  )
  assert.equal(bytesOf((await freeOnImages(stack))[0] ?? []), 2 * EXTENT_BYTES)
})

test('a disk given twice is no group, and the others are', async () => {
  const disk = guestDisk('a', 'groupa')
  const other = oneDisk({ name: 'other', uuid: lvmUuid('other'), idPrefix: 'o', volumes: GUEST }, [1, SMALL])
  const stack = await stackOf(disk, other, disk)
  assert.deepEqual(
    stack.groups.map(({ group }) => group.name),
    ['other'],
  )
  const free = await freeOnImages(stack)
  assert.deepEqual([bytesOf(free[0] ?? []), bytesOf(free[2] ?? [])], [0, 0])
  assert(bytesOf(free[1] ?? []) > 59 * EXTENT_BYTES)
  // Without LVM both are what they are.
  const twice = await freeOnImages(await stackOf(SMALL, SMALL))
  assert.deepEqual(twice[0], twice[1])
  assert(bytesOf(twice[0] ?? []) > 0)
})

test('a group whose disks lie in different layers, one in the other, proves nothing free', async () => {
  const devices = diskUuids({ diskCount: 2, volumes: [] })
  const volumes = [{ name: 'inner', segments: [linear(0, 40, '"pv0", 10')] }]
  const text = groupText({ devices, volumes })
  const [first, second] = devices.map((uuid) => diskWithText(uuid, text).subarray(0, 40 * EXTENT_BYTES))
  assert(first !== undefined && second !== undefined)
  const disk = new Uint8Array(DISK_BYTES)
  disk.set(first)
  putOnDisk(disk, 10, second)
  const stack = await stackOf(disk)
  assert.equal(volumeNamed(stack, 'group/inner').content.kind, 'physical-volume')
  assert.equal(stack.groups.length, 2)
  assert.deepEqual(await freeOnImages(stack), [[]])
})

test('a volume that is its own disk, and a disk in itself, come to an end', async () => {
  // The volume begins where the disk does: LVM allows no such start, but text is text.
  const volumes = [{ name: 'self', segments: [linear(0, 63, '"pv0", 0')] }]
  const text = groupText({ devices: [lvmUuid('pv0')], volumes }).replace('pe_start = 2048', 'pe_start = 0')
  const stack = await stackOf(diskWithText(lvmUuid('pv0'), text))
  assert(stack.volumes.length > 2 && stack.volumes.length < 20)
  assert.deepEqual(await freeOnImages(stack), [[]])
  // Partitions from sector 0 on hold the same table again.
  const disk = partitioned(8, 'label: dos\nstart=2048, size=2048, type=83\n', [])
  for (let index = 0; index < 4; index += 1) {
    const view = new DataView(disk.buffer, 0x1be + index * 16, 16)
    view.setUint8(4, 0x83)
    view.setUint32(8, 0, true)
    view.setUint32(12, disk.byteLength / 512, true)
  }
  const images = [{ name: 'disk', image: bytesImage(disk) }]
  const cut = await openVolumeStack(images, NEVER, { volumeCountMax: 100 })
  assert.equal(cut.volumes.length, 100)
  assert(
    cut.findings.some(({ found }) => /more than 100 volumes, the others are not looked into/.test(found)),
  )
  assert.deepEqual(await freeOnImages(cut), [[]])
})

test('partitions that overlap prove nothing free, also with one that ends beyond the disk', async () => {
  const script = 'label: dos\nstart=2048, size=8192, type=83\n'
  const disk = partitioned(16, script, [[1, SMALL]])
  assert(bytesOf((await freeOnImages(await stackOf(disk)))[0] ?? []) > 0)
  const entry = (type: number, first: number, count: number): Uint8Array => {
    const bytes = disk.slice()
    const view = new DataView(bytes.buffer, 0x1be + 16, 16)
    view.setUint8(4, type)
    view.setUint32(8, first, true)
    view.setUint32(12, count, true)
    return bytes
  }
  for (const [type, first, count] of [
    [0x83, 4096, 8192],
    [0x83, 4096, 1_000_000],
    // An extended partition without logical ones.
    [0x05, 4096, 8192],
  ] as const) {
    const stack = await stackOf(entry(type, first, count))
    assert.equal(volumeNamed(stack, 'p1').content.kind, 'file-system')
    assert.deepEqual(await freeOnImages(stack), [[]], `${type} ${count}`)
  }
})

test('other systems may see other partitions of a hybrid disk: what both have proves nothing free', async () => {
  const disk = partitioned(16, 'label: gpt\nstart=2048, size=8192\n', [[1, SMALL]])
  const hybrid = (first: number, count: number): Uint8Array => {
    const bytes = disk.slice()
    const view = new DataView(bytes.buffer, 0x1be + 16, 16)
    view.setUint8(4, 0x83)
    view.setUint32(8, first, true)
    view.setUint32(12, count, true)
    return bytes
  }
  assert(bytesOf((await freeOnImages(await stackOf(hybrid(2048, 8192))))[0] ?? []) > 0)
  assert.deepEqual(await freeOnImages(await stackOf(hybrid(4096, 8192))), [[]])
})

test('every volume of a group that is not mapped is refused by its name', async () => {
  const [first, second] = groupDisks({ diskCount: 2, volumes: EVERY_KIND })
  assert(first !== undefined && second !== undefined)
  const stack = await stackOf(first, second)
  assert.deepEqual(
    stack.unmapped.map(({ name, what }) => [name, what]),
    [
      ['group/snap', 'damaged: dm-snapshot store header'],
      ['group/thin1', 'damaged: thin pool superblock'],
      ['group/thin2', 'damaged: thin pool superblock'],
      ['group/thin3', 'external origin'],
      ['group/r1', 'raid1 logical volume'],
      ['group/moved', 'mirror logical volume'],
      ['group/e', 'error logical volume'],
    ],
  )
  for (const { reason } of stack.unmapped) assert.match(reason, /\w{3}/)
  const alone = await stackOf(second)
  const missing = alone.unmapped.filter(({ what }) => what === 'missing physical volume')
  assert.deepEqual(
    missing.map(({ name }) => name),
    ['group/lin', 'group/snap', 'group/ro', 'group/moved'],
  )
  assert.match(missing[0]?.reason ?? '', /physical volume "pv0" \(.*last seen as "\/dev\/sda"\) is missing/)
})

test('what a volume bears is named where it is not mapped', async () => {
  const foreign = new Uint8Array(EXTENT_BYTES)
  foreign.set(Uint8Array.fromHex('4c554b53babe0002'))
  const volumes = ['luks', 'random', 'zeros', 'broken', 'odd'].map((name, index) => ({
    name,
    segments: [index === 4 ? whole(1, 'zero', '') : linear(0, 1, `"pv0", ${index}`)],
  }))
  const broken = SMALL.slice(0, EXTENT_BYTES)
  broken.fill(0xff, 1024, 1024 + 0x38)
  const random = Uint8Array.from(mixedBytes('random', EXTENT_BYTES))
  const stack = await stackOf(oneDisk({ volumes }, [0, foreign], [1, random], [3, broken]))
  const whats = stack.volumes.map(({ name, content }) => [
    name,
    content.kind === 'unmapped' ? content.what : content.kind,
  ])
  assert.deepEqual(whats, [
    ['', 'physical-volume'],
    ['group/luks', 'luks2'],
    ['group/random', 'unknown'],
    ['group/zeros', 'empty'],
    ['group/broken', whats[4]?.[1]],
    ['group/odd', 'empty'],
  ])
  assert.match(String(whats[4]?.[1]), /^damaged|^unknown/)
  assert.throws(
    () => selectFileSystem(stack, null),
    (error) => error instanceof UnmappedError && /there is neither ext2/.test(error.message),
  )
})

test('selectFileSystem() names the volumes where it cannot choose', async () => {
  const volumes = ['a', 'b'].map((name, index) => ({ name, segments: [linear(0, 4, `"pv0", ${index * 4}`)] }))
  const stack = await stackOf(oneDisk({ volumes }, [0, SMALL], [4, SMALL]))
  assert.throws(() => selectFileSystem(stack, null), /it has 2 of them, .*: "group\/a", "group\/b"/)
  assert.throws(() => selectFileSystem(stack, 'group/c'), /none lies on "group\/c"/)
  assert.equal(selectFileSystem(stack, 'group/b').volume.name, 'group/b')
})
