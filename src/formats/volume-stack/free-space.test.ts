import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { dumpFreeBlocks } from '../../../test/support/ext4-free-blocks.ts'
import { makeExt4 } from '../../../test/support/make-ext4.ts'
import {
  diskUuids,
  diskWithText,
  EXTENT_BYTES,
  extentOffset,
  groupDisks,
  putOnDisk,
  type GroupDisksDraft,
} from '../../../test/support/group-disks.ts'
import { groupText, linear, lvmUuid, whole, type VolumeDraft } from '../../../test/support/lvm-text.ts'
import { bytesOf, freeOnImages, stackOf, volumeNamed } from '../../../test/support/stack-of.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { Range } from '../../domain/range.ts'
import { groupAllocation } from './group-allocation.ts'
import { volumeAllocation } from './volume-allocation.ts'

const BLOCK = 1024
const FILE_SYSTEM_EXTENTS = 8

/** An ext4 of 8 extents, and its free blocks as `dumpe2fs` prints them. */
function makeFileSystem(): { bytes: Uint8Array; free: readonly Range[] } {
  using folder = temporaryFolder()
  const path = folder.join('ext4')
  const words = ['-t', 'ext4', '-b', String(BLOCK)]
  makeExt4(path, { sizeBytes: FILE_SYSTEM_EXTENTS * EXTENT_BYTES, words, fileCount: 40 })
  const free = dumpFreeBlocks(path, 1, (FILE_SYSTEM_EXTENTS * EXTENT_BYTES) / BLOCK)
  return {
    bytes: new Uint8Array(readFileSync(path)),
    free: free.map(([first, end]) => ({ offset: first * BLOCK, length: (end - first) * BLOCK })),
  }
}

const FILE_SYSTEM = makeFileSystem()

function moved(ranges: readonly Range[], by: number): Range[] {
  return ranges.map(({ offset, length }) => ({ offset: offset + by, length }))
}

/** A disk of one volume, from its extent 2 on, with the file system. */
function oneVolume(draft: Partial<GroupDisksDraft> = {}): Uint8Array {
  const volumes = [{ name: 'a', segments: [linear(0, FILE_SYSTEM_EXTENTS, '"pv0", 2')] }]
  const [disk] = groupDisks({ volumes, ...draft })
  assert(disk !== undefined)
  putOnDisk(disk, 2, FILE_SYSTEM.bytes)
  return disk
}

test('what is free on a logical volume is what dumpe2fs says, between what no volume has', async () => {
  const [free = []] = await freeOnImages(await stackOf(oneVolume()))
  const expected = [
    { offset: extentOffset(0), length: 2 * EXTENT_BYTES },
    ...moved(FILE_SYSTEM.free, extentOffset(2)),
    { offset: extentOffset(10), length: 53 * EXTENT_BYTES },
  ]
  // Its first block is a superblock; its last ones are free, and are one range with what comes behind it.
  const [last] = expected.splice(-1)
  const end = expected.at(-1)
  assert(last !== undefined && end !== undefined && end.offset + end.length === last.offset)
  expected.splice(-1, 1, { offset: end.offset, length: end.length + last.length })
  assert.deepEqual(free, expected)
  const [long = []] = await freeOnImages(await stackOf(oneVolume()), EXTENT_BYTES)
  assert(long.every((range) => range.length >= EXTENT_BYTES) && bytesOf(long) > 55 * EXTENT_BYTES)
})

test('stripes of a file system are free where dumpe2fs says', async () => {
  const segment = whole(8, 'striped', 'stripe_count = 2 stripe_size = 8 stripes = ["pv0", 5, "pv1", 3]')
  const disks = groupDisks({ diskCount: 2, volumes: [{ name: 'a', segments: [segment] }] })
  const STRIPE = 4096
  const place = (offset: number): { disk: number; offset: number } => {
    const stripe = Math.floor(offset / STRIPE)
    const start = extentOffset(stripe % 2 === 0 ? 5 : 3)
    return { disk: stripe % 2, offset: start + Math.floor(stripe / 2) * STRIPE + (offset % STRIPE) }
  }
  for (let offset = 0; offset < FILE_SYSTEM.bytes.byteLength; offset += STRIPE) {
    const at = place(offset)
    disks[at.disk]?.set(FILE_SYSTEM.bytes.subarray(offset, offset + STRIPE), at.offset)
  }
  const free = await freeOnImages(await stackOf(...disks))
  const isFree = ({ disk, offset }: { disk: number; offset: number }): boolean =>
    (free[disk] ?? []).some((range) => range.offset <= offset && offset < range.offset + range.length)
  const said = new Set(
    FILE_SYSTEM.free.flatMap(({ offset, length }) =>
      Array.from({ length: length / BLOCK }, (_, index) => offset + index * BLOCK),
    ),
  )
  for (let offset = 0; offset < FILE_SYSTEM.bytes.byteLength; offset += BLOCK) {
    assert.equal(isFree(place(offset)), said.has(offset), `block at ${offset}`)
  }
})

/** What is free is only what no volume of the group has. */
async function assertVolumeIsData(...disks: readonly Uint8Array[]): Promise<void> {
  const stack = await stackOf(...disks)
  const { content } = volumeNamed(stack, 'group/a')
  assert(content.kind === 'file-system' && content.fileSystem.allocation.proven)
  const [free = []] = await freeOnImages(stack)
  const [start, end] = [extentOffset(2), extentOffset(2 + FILE_SYSTEM_EXTENTS)]
  assert(
    free.length > 0 && free.every((range) => range.offset + range.length <= start || range.offset >= end),
  )
}

test('what a volume shows that others show too is not free', async () => {
  const HIDDEN = '"READ", "WRITE"'
  const a = { name: 'a', segments: [linear(0, FILE_SYSTEM_EXTENTS, '"pv0", 2')] }
  const on = { name: 'a', segments: [linear(0, FILE_SYSTEM_EXTENTS, '"low", 0')] }
  const low = { name: 'low', status: HIDDEN, segments: [linear(0, FILE_SYSTEM_EXTENTS, '"pv0", 2')] }
  const cases: readonly (readonly VolumeDraft[])[] = [
    // Another volume on it, or on what it lies on.
    [a, { name: 'b', segments: [linear(0, 4, '"a", 2')] }],
    [on, low, { name: 'b', status: HIDDEN, segments: [linear(0, 2, '"low", 0')] }],
    // One of a kind that is not known, which names it.
    [a, { name: 'b', segments: [whole(4, 'new-kind', 'inner { of = ["a", 0] }')] }],
    [on, low, { name: 'b', segments: [whole(4, 'mirror', 'mirror_count = 1 mirrors = ["low", 0]')] }],
    // The origin of a snapshot whose store is lost.
    [
      a,
      { name: 's', segments: [linear(0, 1, '"pv0", 40')] },
      {
        name: 'snapshot0',
        status: HIDDEN,
        segments: [whole(8, 'snapshot', 'chunk_size = 8 origin = "a" cow_store = "s"')],
      },
    ],
    // What a thin volume has outside its pool.
    [
      a,
      { name: 'pool_tdata', status: HIDDEN, segments: [linear(0, 4, '"pv0", 40')] },
      { name: 'pool_tmeta', status: HIDDEN, segments: [linear(0, 1, '"pv0", 50')] },
      {
        name: 'pool',
        segments: [
          whole(
            4,
            'thin-pool',
            'metadata = "pool_tmeta" pool = "pool_tdata" transaction_id = 0 chunk_size = 128',
          ),
        ],
      },
      {
        name: 't',
        segments: [
          whole(8, 'thin', 'thin_pool = "pool" transaction_id = 0 device_id = 1 external_origin = "a"'),
        ],
      },
    ],
  ]
  for (const volumes of cases) await assertVolumeIsData(oneVolume({ volumes }))
  // Alone on a hidden volume it is free as it is on the disk itself.
  const free = await freeOnImages(await stackOf(oneVolume({ volumes: [on, low] })))
  assert.deepEqual(free, await freeOnImages(await stackOf(oneVolume())))
})

/** Fails unless nothing is free on any of the disks, for the reason. */
async function assertNothingFree(disks: readonly Uint8Array[], reason: RegExp): Promise<void> {
  const stack = await stackOf(...disks)
  assert.deepEqual(
    (await freeOnImages(stack)).map(bytesOf),
    disks.map(() => 0),
  )
  const [group] = stack.groups
  assert(group !== undefined)
  const allocation = groupAllocation(stack, group)
  assert(!allocation.proven)
  assert.match(allocation.reason, reason)
}

test('a group proves nothing free while it lacks a disk, or its disks disagree', async () => {
  const volumes = [{ name: 'a', segments: [linear(0, FILE_SYSTEM_EXTENTS, '"pv0", 2')] }]
  const draft = { diskCount: 2, volumes }
  const devices = diskUuids(draft)
  const text = groupText({ volumes, devices, seqno: 5 })
  const [first, second] = devices
  assert(first !== undefined && second !== undefined)
  const disk = (uuid: string, of: string | null): Uint8Array => {
    const bytes = diskWithText(uuid, of)
    if (uuid === first) putOnDisk(bytes, 2, FILE_SYSTEM.bytes)
    return bytes
  }
  const both = [disk(first, text), disk(second, text)]
  assert((await freeOnImages(await stackOf(...both))).every((free) => bytesOf(free) > 50 * EXTENT_BYTES))
  // A disk may be without metadata of its own.
  const [one] = await freeOnImages(await stackOf(disk(first, null), disk(second, text)))
  assert(bytesOf(one ?? []) > 50 * EXTENT_BYTES)
  await assertNothingFree([disk(first, text)], /lacks physical volume pv1/)
  const older = groupText({ volumes, devices, seqno: 4 })
  await assertNothingFree([disk(first, older), disk(second, text)], /not described on physical volume pv0/)
  const unread = disk(second, text)
  unread.fill(0xff, 4096 + 600, 4096 + 700)
  await assertNothingFree([disk(first, text), unread], /not described on physical volume pv1/)
  const marked = text.replace('flags = []\n\t\t\tdev_size', 'flags = ["MISSING"]\n\t\t\tdev_size')
  await assertNothingFree([disk(first, marked), disk(second, marked)], /goes without physical volume pv0/)
  const short = disk(second, text).subarray(0, extentOffset(62))
  await assertNothingFree([disk(first, text), short], /has extents beyond the end of physical volume pv1/)
  const crossed = groupText({
    devices,
    volumes: [...volumes, { name: 'b', segments: [linear(0, 2, '"pv0", 9')] }],
  })
  await assertNothingFree([disk(first, crossed), disk(second, crossed)], /uses an extent twice/)
})

test('a group that is exported is as free as any other', async () => {
  const text = groupText({
    devices: diskUuids({ volumes: [] }),
    volumes: [{ name: 'a', segments: [linear(0, FILE_SYSTEM_EXTENTS, '"pv0", 2')] }],
  }).replace(
    'status = ["RESIZEABLE", "READ", "WRITE"]',
    'status = ["EXPORTED", "RESIZEABLE", "READ", "WRITE"]',
  )
  const disk = diskWithText(lvmUuid('pv0'), text)
  putOnDisk(disk, 2, FILE_SYSTEM.bytes)
  assert.deepEqual(await freeOnImages(await stackOf(disk)), await freeOnImages(await stackOf(oneVolume())))
})

test('a file system gives up only its own bytes, and none when it is larger than its volume or not clean', async () => {
  const larger = [{ name: 'a', segments: [linear(0, 20, '"pv0", 2')] }]
  const [free = []] = await freeOnImages(await stackOf(oneVolume({ volumes: larger })))
  assert.deepEqual(free, [
    { offset: extentOffset(0), length: 2 * EXTENT_BYTES },
    ...moved(FILE_SYSTEM.free, extentOffset(2)),
    { offset: extentOffset(22), length: 41 * EXTENT_BYTES },
  ])
  const smaller = [{ name: 'a', segments: [linear(0, 5, '"pv0", 2')] }]
  const [rest = []] = await freeOnImages(await stackOf(oneVolume({ volumes: smaller })))
  assert.deepEqual(rest, [
    { offset: extentOffset(0), length: 2 * EXTENT_BYTES },
    { offset: extentOffset(7), length: 56 * EXTENT_BYTES },
  ])
  const unclean = oneVolume()
  // The state in the superblock: not clean, and its checksum is wrong.
  unclean[extentOffset(2) + 1024 + 0x3a] = 0
  const [none = []] = await freeOnImages(await stackOf(unclean))
  assert.equal(bytesOf(none), 55 * EXTENT_BYTES)
})

test('a mark of another format, also at the end, leaves nothing of a volume free', async () => {
  // An array of one half that lies on this disk has its mark behind the file system.
  const mirrored = FILE_SYSTEM.bytes.slice()
  mirrored.set(Uint8Array.fromHex('fc4e2ba901000000'), mirrored.byteLength - 8192)
  assert.deepEqual(await freeOnImages(await stackOf(mirrored)), [[]])
  const swapped = FILE_SYSTEM.bytes.slice()
  swapped.set(new TextEncoder().encode('S1SUSPEND'), 4096 - 10)
  assert.deepEqual(await freeOnImages(await stackOf(swapped)), [[]])
  assert.notDeepEqual(await freeOnImages(await stackOf(FILE_SYSTEM.bytes)), [[]])
})

/** Why what the file system of `group/a` gives up is not free; null when it is. */
async function reasonOf(disk: Uint8Array): Promise<string | null> {
  const stack = await stackOf(disk)
  const allocation = volumeAllocation(stack, volumeNamed(stack, 'group/a'))
  return allocation.proven ? null : allocation.reason
}

test('volumeAllocation() says which layer keeps what a file system gives up', async () => {
  const origin = { name: 'a', segments: [linear(0, FILE_SYSTEM_EXTENTS, '"pv0", 2')] }
  const over = { name: 'b', segments: [linear(0, 4, '"a", 2')] }
  assert.equal(await reasonOf(oneVolume()), null)
  assert.equal(await reasonOf(oneVolume({ volumes: [origin, over] })), 'other volumes show its bytes, too')
  const [first] = groupDisks({ diskCount: 2, volumes: [origin] })
  assert(first !== undefined)
  assert.match((await reasonOf(first)) ?? '', /^its volume group lacks physical volume pv1/)
})
