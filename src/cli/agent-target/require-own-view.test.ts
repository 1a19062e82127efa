import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bytesImage } from '../../../test/support/bytes-image.ts'
import { EXTENT_BYTES, extentOffset, groupDisks } from '../../../test/support/group-disks.ts'
import { linear } from '../../../test/support/lvm-text.ts'
import type { Extent } from '../../domain/extent.ts'
import { ExtentTable } from '../../extents/extent-table.ts'
import { requireOwnView } from './require-own-view.ts'
import { requireSoundMap, type MapToWrite } from './require-sound-map.ts'

const { signal } = new AbortController()
/** On two disks; `other` lies behind `home` on the first. */
const disks = groupDisks({
  name: 'vg0',
  diskCount: 2,
  volumes: [
    { name: 'home', segments: [linear(0, 4, '"pv0", 2'), linear(4, 3, '"pv1", 9')] },
    { name: 'other', segments: [linear(0, 4, '"pv0", 20')] },
  ],
}).map((bytes) => bytesImage(bytes))

type Piece = readonly [device: number, extent: number, count: number]
const HOME: readonly Piece[] = [
  [0, 2, 4],
  [1, 9, 3],
]

async function mapOf(pieces: readonly Piece[], shift = 0): Promise<MapToWrite & { sizeBytes: number }> {
  let offset = 0
  const extents = pieces.map(([device, extent, count]): Extent => {
    const length = count * EXTENT_BYTES
    const at = offset
    offset += length
    return { kind: 'data', offset: at, length, device, physicalOffset: extentOffset(extent) + shift }
  })
  const table = await ExtentTable.read([extents], { sizeBytes: offset })
  return { sizeBytes: offset, extentCount: table.count, extentsIn: (range) => table.extentsIn(range) }
}

async function look(path: string, pieces: readonly Piece[], shift = 0): Promise<void> {
  const map = await mapOf(pieces, shift)
  await requireOwnView({ path, map, disks: new Map(disks.entries()) }, signal)
}

test('requireOwnView() agrees with an agent that says what the disks say', async () => {
  for (const path of ['/dev/vg0/home', '/dev/mapper/vg0-home']) await look(path, HOME)
  await look('/dev/vg0/other', [[0, 20, 4]])
})

test('requireOwnView() believes no agent that would have another volume or place written', async () => {
  const lies: readonly (readonly [string, readonly Piece[], number])[] = [
    // Another volume than the one that the user typed.
    ['/dev/vg0/home', [[0, 20, 4]], 0],
    ['/dev/vg0/other', HOME, 0],
    // A part that is free, on the other disk, in another order, a little beside, and more than it has.
    [
      '/dev/vg0/home',
      [
        [0, 2, 4],
        [1, 40, 3],
      ],
      0,
    ],
    [
      '/dev/vg0/home',
      [
        [1, 2, 4],
        [0, 9, 3],
      ],
      0,
    ],
    [
      '/dev/vg0/home',
      [
        [1, 9, 3],
        [0, 2, 4],
      ],
      0,
    ],
    ['/dev/vg0/home', HOME, 4096],
    ['/dev/vg0/other', [[0, 20, 6]], 0],
    // Names that say nothing of a volume, or of none that is there.
    ['/dev/sda', HOME, 0],
    ['/dev/dm-0', HOME, 0],
    ['/dev/vg1/home', HOME, 0],
    ['/dev/sda', [[0, -1, 64]], 0],
  ]
  for (const [path, pieces, shift] of lies) {
    await assert.rejects(
      look(path, pieces, shift),
      { code: 'TARGET_MISMATCH' },
      `${path} ${pieces.join(' ')}`,
    )
  }
})

test('requireOwnView() takes a disk only when no volume group lies on it', async () => {
  const bytes = new Uint8Array(8 * EXTENT_BYTES)
  const whole: Extent = { kind: 'data', offset: 0, length: bytes.byteLength, device: 3, physicalOffset: 0 }
  const table = await ExtentTable.read([[whole]], { sizeBytes: bytes.byteLength })
  const map = { sizeBytes: bytes.byteLength, extentCount: 1, extentsIn: table.extentsIn.bind(table) }
  await requireOwnView({ path: '/dev/sdb', map, disks: new Map([[3, bytesImage(bytes)]]) }, signal)
  const [group] = disks
  assert.ok(group)
  const all: Extent = { kind: 'data', offset: 0, length: group.sizeBytes, device: 0, physicalOffset: 0 }
  const overGroup = await ExtentTable.read([[all]], { sizeBytes: group.sizeBytes })
  const lie = { sizeBytes: group.sizeBytes, extentCount: 1, extentsIn: overGroup.extentsIn.bind(overGroup) }
  await assert.rejects(requireOwnView({ path: '/dev/sdb', map: lie, disks: new Map([[0, group]]) }, signal), {
    code: 'TARGET_MISMATCH',
  })
})

test('requireSoundMap() refuses what lies outside, twice at one place, nowhere, or not in whole blocks', async () => {
  const devices = [0, 1].map((name) => ({
    name: `wwn:${name}`,
    sizeBytes: 64 * EXTENT_BYTES,
    sectorSizeBytes: 512,
  }))
  const about = { path: '/dev/vg0/home', devices }
  assert.deepEqual(requireSoundMap(await mapOf(HOME), about), [0, 1])
  assert.deepEqual(requireSoundMap(await mapOf([[1, 9, 3]]), about), [1])
  const refused = { code: 'TARGET_UNSUITABLE' }
  const unsound: readonly (readonly [readonly Piece[], number])[] = [
    [[[0, 62, 2]], 0],
    [[[0, 2 ** 20, 1]], 0],
    [[[2, 2, 1]], 0],
    [
      [
        [0, 2, 4],
        [0, 5, 2],
      ],
      0,
    ],
    [HOME, 512],
  ]
  for (const [pieces, shift] of unsound) {
    const map = await mapOf(pieces, shift)
    assert.throws(() => requireSoundMap(map, about), refused, pieces.join(' '))
  }
  const hole = await ExtentTable.read([[{ kind: 'zero', offset: 0, length: 4096 }]], { sizeBytes: 4096 })
  const holed = { sizeBytes: 4096, extentCount: 1, extentsIn: hole.extentsIn.bind(hole) }
  assert.throws(() => requireSoundMap(holed, about), refused)
  assert.throws(() => requireSoundMap({ ...holed, extentCount: 2_000_000 }, about), refused)
})
