// Classic snapshots with their origins, through the stack. The store is built from the definition of its format, the
// file systems by their own tools.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { changeExt4Image, writeExt4Image } from '../../../test/support/ext4-image.ts'
import { EXTENT_BYTES, extentOffset, groupDisks, putOnDisk } from '../../../test/support/group-disks.ts'
import { linear, whole, type VolumeDraft } from '../../../test/support/lvm-text.ts'
import { mixedBytes } from '../../../test/support/mixed-bytes.ts'
import { copyChunk, storeBytes } from '../../../test/support/snapshot-store.ts'
import {
  assertNothingUsedIsFree,
  bytesOf,
  freeOnImages,
  stackOf,
  volumeNamed,
} from '../../../test/support/stack-of.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { readBytes } from '../../images/read-bytes.ts'

const CHUNK = 4096
const ORIGIN_EXTENTS = 8

function snapshotVolumes(rest: string, link: Partial<VolumeDraft> = {}): readonly VolumeDraft[] {
  return [
    { name: 'lin', segments: [linear(0, ORIGIN_EXTENTS, '"pv0", 0')] },
    { name: 'snap', segments: [linear(0, 6, '"pv0", 10')] },
    {
      name: 'snapshot0',
      status: '"READ", "WRITE"',
      segments: [whole(ORIGIN_EXTENTS, 'snapshot', `chunk_size = 8 origin = "lin" ${rest}`)],
      ...link,
    },
  ]
}

/** An origin whose file was removed and overwritten after the snapshot; the store has what the chunks were. */
function makeDisk(volumes: readonly VolumeDraft[]): { disk: Uint8Array; before: Buffer; after: Buffer } {
  using folder = temporaryFolder()
  const [path, from] = [folder.join('image'), folder.join('from')]
  mkdirSync(from)
  writeFileSync(`${from}/old`, mixedBytes('old', EXTENT_BYTES))
  writeExt4Image(path, { sizeBytes: ORIGIN_EXTENTS * EXTENT_BYTES, filesFrom: from })
  const before = readFileSync(path)
  writeFileSync(`${from}/new`, mixedBytes('new', EXTENT_BYTES / 2))
  changeExt4Image(path, ['rm old', `write ${from}/new new`])
  const after = readFileSync(path)
  const originChunks: number[] = []
  for (let chunk = 0; chunk * CHUNK < before.byteLength; chunk += 1) {
    const [left, right] = [before, after].map((bytes) => bytes.subarray(chunk * CHUNK, (chunk + 1) * CHUNK))
    if (left !== undefined && right?.equals(left) === false) originChunks.push(chunk)
  }
  originChunks.reverse()
  const store = storeBytes({ originChunks, chunkCount: (6 * EXTENT_BYTES) / CHUNK })
  for (const [index, chunk] of originChunks.entries()) {
    store.set(before.subarray(chunk * CHUNK, (chunk + 1) * CHUNK), copyChunk(index, CHUNK / 16) * CHUNK)
  }
  const [disk] = groupDisks({ volumes })
  assert(disk !== undefined)
  putOnDisk(disk, 0, after)
  putOnDisk(disk, 10, store)
  return { disk, before, after }
}

test('a classic snapshot shows what its origin was, and neither of them proves anything free', async () => {
  const { disk, before, after } = makeDisk(snapshotVolumes('cow_store = "snap"'))
  const stack = await stackOf(disk)
  assert.deepEqual([stack.unmapped, stack.findings], [[], []])
  for (const [name, expected] of [
    ['group/lin', after],
    ['group/snap', before],
  ] as const) {
    const { image, content } = volumeNamed(stack, name)
    assert(Buffer.from(await readBytes(image, 0, image.sizeBytes)).equals(expected), name)
    assert.equal(content.kind, 'file-system')
  }
  await assertNothingUsedIsFree(stack)
  // 63 extents less the origin's 8 and the store's 6.
  const [free] = await freeOnImages(stack)
  assert.deepEqual(free, [
    { offset: extentOffset(8), length: 2 * EXTENT_BYTES },
    { offset: extentOffset(16), length: 47 * EXTENT_BYTES },
  ])
})

test('snapshots that cannot be read are refused by name, and their origin gives nothing up', async () => {
  const lost = makeDisk(snapshotVolumes('cow_store = "snap"')).disk
  lost[extentOffset(10) + 4] = 0
  const none = makeDisk(snapshotVolumes('cow_store = "snap"')).disk
  none.fill(0, extentOffset(10), extentOffset(10) + CHUNK)
  const chunks = makeDisk(
    snapshotVolumes('cow_store = "snap"').map((volume) => ({
      ...volume,
      segments: volume.segments.map((segment) => segment.replace('chunk_size = 8', 'chunk_size = 16')),
    })),
  ).disk
  const larger = makeDisk(
    snapshotVolumes('cow_store = "snap"', {
      segments: [whole(ORIGIN_EXTENTS + 1, 'snapshot', 'chunk_size = 8 origin = "lin" cow_store = "snap"')],
    }),
  ).disk
  for (const [disk, what, reason] of [
    [lost, 'invalid snapshot', /its store says that it is not valid/],
    [none, 'damaged: dm-snapshot store header', /magic is 0x0, expected 0x70416e53/],
    [chunks, 'damaged: exception store of logical volume "snap"', /4096 bytes, the volume group says 8192/],
    [larger, 'damaged: snapshot "snap"', /it has 9437184 bytes, its origin "lin" 8388608/],
  ] as const) {
    const stack = await stackOf(disk)
    assert.deepEqual(
      stack.unmapped.map((volume) => [volume.name, volume.what]),
      [['group/snap', what]],
    )
    assert.match(stack.unmapped[0]?.reason ?? '', reason)
    assert.equal(volumeNamed(stack, 'group/lin').content.kind, 'file-system')
    assert.equal(bytesOf((await freeOnImages(stack))[0] ?? []), 49 * EXTENT_BYTES)
  }
})

test('a snapshot that is being merged is refused, and so is its origin', async () => {
  const { disk } = makeDisk(snapshotVolumes('merging_store = "snap"'))
  const stack = await stackOf(disk)
  assert.deepEqual(
    stack.unmapped.map(({ name, what }) => [name, what]),
    [
      ['group/lin', 'merging snapshot'],
      ['group/snap', 'merging snapshot'],
    ],
  )
  assert.equal(bytesOf((await freeOnImages(stack))[0] ?? []), 49 * EXTENT_BYTES)
})
