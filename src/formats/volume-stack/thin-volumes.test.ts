// A volume group that LVM took, with a thin pool whose metadata `thin_restore` wrote, and file systems that lie in it
// as the mapping says; the tools of the file system say what is in them.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { bytesImage, fileImage } from '../../../test/support/bytes-image.ts'
import { writeExt4Image } from '../../../test/support/ext4-image.ts'
import {
  EXTENT_BYTES,
  extentOffset,
  groupDisks,
  putOnDisk,
  type GroupDisksDraft,
} from '../../../test/support/group-disks.ts'
import { lvmDevices, needsLvm } from '../../../test/support/lvm-devices.ts'
import { restoreGroup } from '../../../test/support/lvm-group.ts'
import { linear, whole, type VolumeDraft } from '../../../test/support/lvm-text.ts'
import { mixedBytes } from '../../../test/support/mixed-bytes.ts'
import {
  assertNothingUsedIsFree,
  bytesOf,
  freeOnImages,
  stackOf,
  volumeNamed,
} from '../../../test/support/stack-of.ts'
import { temporaryFolder, type TemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { ThinMetadataFile, writeThinMetadata, type ThinRun } from '../../../test/support/thin-metadata.ts'
import type { Range } from '../../domain/range.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { SUPERBLOCK } from '../dm-thin/layout.ts'
import { resolvePath } from '../resolve-path.ts'
import { openVolumeStack } from './open-volume-stack.ts'
import type { VolumeStack } from './volume.ts'
import { volumeLayer } from './volume-layer.ts'

const NEVER = new AbortController().signal
const CHUNK = 64 * 1024
const THIN_EXTENTS = 16
/** Of the pool's data: 24 extents of 1 MiB. */
const DATA_CHUNKS = (24 * EXTENT_BYTES) / CHUNK
const HIDDEN = '"READ", "WRITE"'

/** A pool: 2 extents of metadata, 24 of data in stripes on two disks; two thin volumes. */
const POOL: readonly VolumeDraft[] = [
  {
    name: 'pool',
    segments: [
      whole(
        24,
        'thin-pool',
        'metadata = "pool_tmeta" pool = "pool_tdata" transaction_id = 7 chunk_size = 128 ' +
          'discards = "passdown" zero_new_blocks = 1',
      ),
    ],
  },
  { name: 'pool_tmeta', status: HIDDEN, segments: [linear(0, 2, '"pv1", 0')] },
  {
    name: 'pool_tdata',
    status: HIDDEN,
    segments: [whole(24, 'striped', 'stripe_count = 2 stripe_size = 128 stripes = ["pv0", 10, "pv1", 2]')],
  },
  thin('thin1', 1),
  thin('thin2', 2),
]

function thin(name: string, deviceId: number): VolumeDraft {
  const rest = `thin_pool = "pool" transaction_id = 6 device_id = ${deviceId}`
  return { name, segments: [whole(THIN_EXTENTS, 'thin', rest)] }
}

/** Where a chunk of the pool's data lies: the stripes are one chunk long, and take turns. */
function chunkPlace(chunk: number): { readonly disk: number; readonly offset: number } {
  const disk = chunk % 2
  return { disk, offset: extentOffset(disk === 0 ? 10 : 2) + Math.floor(chunk / 2) * CHUNK }
}

/** Every chunk of a volume that is not zero is given a chunk of the pool, in turns of seven from the end. */
function mappingOf(volume: Uint8Array, taken: Set<number>): ThinRun[] {
  const runs: ThinRun[] = []
  for (let begin = 0; begin * CHUNK < volume.byteLength; begin += 1) {
    const bytes = volume.subarray(begin * CHUNK, (begin + 1) * CHUNK)
    if (bytes.every((byte) => byte === 0)) continue
    let data = (DATA_CHUNKS - 1 - begin * 7 + DATA_CHUNKS * 7) % DATA_CHUNKS
    while (taken.has(data)) data = (data + 1) % DATA_CHUNKS
    taken.add(data)
    runs.push({ begin, data, length: 1 })
  }
  return runs
}

type Pool = {
  readonly files: readonly string[]
  readonly runs: readonly (readonly ThinRun[])[]
  readonly taken: ReadonlySet<number>
  readonly metadataPath: string
}

/** Two file systems, and the metadata of a pool that has them. */
function makePool(folder: TemporaryFolder): Pool {
  const taken = new Set<number>()
  const files = [1, 2].map((number) => {
    const from = folder.join(`from${number}`)
    mkdirSync(from)
    writeFileSync(`${from}/content`, mixedBytes(`file ${number}`, 2 * EXTENT_BYTES + 77))
    const path = folder.join(`thin${number}`)
    writeExt4Image(path, { sizeBytes: THIN_EXTENTS * EXTENT_BYTES, blockSizeBytes: 1024, filesFrom: from })
    return path
  })
  const runs = files.map((path) => mappingOf(readFileSync(path), taken))
  const metadataPath = folder.join('metadata')
  const devices = new Map(runs.map((run, index) => [index + 1, run]))
  writeThinMetadata(metadataPath, { dataBlockCount: DATA_CHUNKS, fileBytes: 2 * EXTENT_BYTES, devices })
  return { files, runs, taken, metadataPath }
}

function putPool(disks: readonly Uint8Array[], pool: Pool): void {
  const [, second] = disks
  assert(second !== undefined)
  putOnDisk(second, 0, pool.metadataPath)
  for (const [index, path] of pool.files.entries()) {
    const volume = readFileSync(path)
    for (const { begin, data } of pool.runs[index] ?? []) {
      const { disk, offset } = chunkPlace(data)
      disks[disk]?.set(volume.subarray(begin * CHUNK, (begin + 1) * CHUNK), offset)
    }
  }
}

function disksWith(pool: Pool, draft: Partial<GroupDisksDraft> = {}): Uint8Array[] {
  const disks = groupDisks({ diskCount: 2, volumes: POOL, ...draft })
  putPool(disks, pool)
  return disks
}

async function readThinFile(stack: VolumeStack, name: string): Promise<Uint8Array> {
  const { content, image } = volumeNamed(stack, name)
  assert(content.kind === 'file-system', JSON.stringify(content))
  const { fileSystem } = content
  const node = await resolvePath(fileSystem, [new TextEncoder().encode('content')], NEVER)
  assert(node !== null)
  const bytes = new Uint8Array(node.sizeBytes)
  for await (const batch of fileSystem.fileExtents(node, { offset: 0, length: node.sizeBytes }, NEVER)) {
    for (const extent of batch) {
      if (extent.kind !== 'data') continue
      const length = Math.min(extent.length, node.sizeBytes - extent.offset)
      bytes.set(await readBytes(image, extent.physicalOffset, length), extent.offset)
    }
  }
  return bytes
}

async function assertThinFiles(stack: VolumeStack): Promise<void> {
  for (const number of [1, 2]) {
    const expected = mixedBytes(`file ${number}`, 2 * EXTENT_BYTES + 77)
    assert.deepEqual(Buffer.from(await readThinFile(stack, `group/thin${number}`)), expected)
  }
}

/** Which chunks of the pool are free, when all of each of them is. */
function freeChunks(free: readonly (readonly Range[])[]): number[] {
  return Array.from({ length: DATA_CHUNKS }, (_, chunk) => chunk).filter((chunk) => {
    const { disk, offset } = chunkPlace(chunk)
    return (free[disk] ?? []).some(
      (range) => range.offset <= offset && range.offset + range.length >= offset + CHUNK,
    )
  })
}

test(
  'thin volumes of a group that LVM took are read, and what no volume has is free',
  { skip: needsLvm() },
  async () => {
    using folder = temporaryFolder()
    using lvm = lvmDevices(folder, { sizesBytes: [64 * EXTENT_BYTES, 64 * EXTENT_BYTES] })
    restoreGroup(lvm, folder, POOL)
    const disks = lvm.images.map((path) => new Uint8Array(readFileSync(path)))
    const pool = makePool(folder)
    putPool(disks, pool)
    for (const [index, path] of lvm.images.entries()) writeFileSync(path, disks[index] ?? '')
    await using first = fileImage(lvm.images[0] ?? '')
    await using second = fileImage(lvm.images[1] ?? '')
    const stack = await openVolumeStack(
      [
        { name: 'a', image: first },
        { name: 'b', image: second },
      ],
      NEVER,
    )
    assert.deepEqual([stack.findings, stack.unmapped], [[], []])
    await assertThinFiles(stack)
    await assertNothingUsedIsFree(stack)
    const expected = Array.from({ length: DATA_CHUNKS }, (_, chunk) => chunk).filter(
      (chunk) => !pool.taken.has(chunk),
    )
    assert.deepEqual(freeChunks(await freeOnImages(stack)), expected)
  },
)

test('volumeLayer() leads from a thin volume through its pool to the disks', async () => {
  using folder = temporaryFolder()
  const pool = makePool(folder)
  const disks = disksWith(pool)
  const stack = await stackOf(...disks)
  const volume = readFileSync(pool.files[1] ?? '')
  let position = 0
  for (const extent of volumeLayer(volumeNamed(stack, 'group/thin2')).extentsIn({
    offset: 0,
    length: volume.byteLength,
  })) {
    assert.equal(extent.offset, position)
    position += extent.length
    const found =
      extent.kind === 'data'
        ? disks[extent.device]?.subarray(extent.physicalOffset, extent.physicalOffset + extent.length)
        : new Uint8Array(extent.length)
    assert(volume.subarray(extent.offset, position).equals(found ?? new Uint8Array(0)))
  }
  assert.equal(position, volume.byteLength)
})

/** What the pool gives up, beside what no volume of the group has. */
async function freePoolBytes(...disks: readonly Uint8Array[]): Promise<number> {
  return freeChunks(await freeOnImages(await stackOf(...disks))).length * CHUNK
}

test('a pool proves nothing free while it is behind its group, or is not of it', async () => {
  using folder = temporaryFolder()
  const pool = makePool(folder)
  assert(freePoolBytesExpected(pool) > 0)
  assert.equal(await freePoolBytes(...disksWith(pool)), freePoolBytesExpected(pool))
  const changed = (from: string, to: string): Uint8Array[] =>
    disksWith(pool, {
      volumes: POOL.map((volume) => ({
        ...volume,
        segments: volume.segments.map((segment) => segment.replace(from, to)),
      })),
    })
  const messages = 'transaction_id = 7 message1 { delete = 5 }'
  assert.equal(await freePoolBytes(...changed('transaction_id = 7', messages)), 0)
  assert.equal(await freePoolBytes(...changed('transaction_id = 7', 'transaction_id = 8')), 0)
  assert.equal(await freePoolBytes(...changed('chunk_size = 128', 'chunk_size = 256')), 0)
  // Of a pool that waits to be told of others, the volumes that it has are read; else they are not.
  await assertThinFiles(await stackOf(...changed('transaction_id = 7', messages)))
  const later = await stackOf(...changed('transaction_id = 7', 'transaction_id = 8'))
  assert.deepEqual(
    later.unmapped.map(({ name, what }) => [name, what]),
    [
      ['group/thin1', 'thin pool of another transaction'],
      ['group/thin2', 'thin pool of another transaction'],
    ],
  )
  assert.match(later.unmapped[0]?.reason ?? '', /is of transaction 7, the volume group says 8/)
})

function freePoolBytesExpected(pool: Pool): number {
  return (DATA_CHUNKS - pool.taken.size) * CHUNK
}

test('a pool that its metadata says to be larger than its data volume is refused', async () => {
  using folder = temporaryFolder()
  const pool = makePool(folder)
  const devices = new Map(pool.runs.map((run, index) => [index + 1, run]))
  writeThinMetadata(pool.metadataPath, {
    dataBlockCount: DATA_CHUNKS + 1,
    fileBytes: 2 * EXTENT_BYTES,
    devices,
  })
  const stack = await stackOf(...disksWith(pool))
  assert.match(stack.unmapped[0]?.reason ?? '', /its data has 25231360 bytes, the volume it lies on 25165824/)
  assert.deepEqual(freeChunks(await freeOnImages(stack)), [])
  // A data volume that has grown before the pool was told: what is behind its end is not free.
  writeThinMetadata(pool.metadataPath, {
    dataBlockCount: DATA_CHUNKS - 2,
    fileBytes: 2 * EXTENT_BYTES,
    devices: new Map(),
  })
  const grown = freeChunks(await freeOnImages(await stackOf(...disksWith(pool))))
  assert.deepEqual(
    grown,
    Array.from({ length: DATA_CHUNKS - 2 }, (_, chunk) => chunk),
  )
})

test('what a snapshot shares with its origin, or the metadata snapshot still has, is not free', async () => {
  using folder = temporaryFolder()
  const pool = makePool(folder)
  using metadata = new ThinMetadataFile(pool.metadataPath)
  const chunks = (pool.runs[0] ?? []).length * CHUNK
  const emptyTree = metadata.changeTree(
    metadata.mappingRoot(1),
    (pool.runs[0] ?? []).map(({ begin }) => ({ key: begin, value: null })),
    8,
  )
  metadata.addSnapshot(1, 3, [])
  // The origin gives all back that it has; its snapshot still has it, and then the metadata snapshot.
  metadata.setDevice(1, emptyTree)
  assert.equal(await freePoolBytes(...disksWith(pool)), freePoolBytesExpected(pool))
  metadata.holdSnapshot()
  metadata.setDevice(3, emptyTree)
  assert.equal(await freePoolBytes(...disksWith(pool)), freePoolBytesExpected(pool))
  metadata.changeSuperblock((view) => view.setBigUint64(SUPERBLOCK.heldRoot[0], 0n, true))
  assert.equal(await freePoolBytes(...disksWith(pool)), freePoolBytesExpected(pool) + chunks)
})

test('a pool whose data other volumes show proves nothing free', async () => {
  using folder = temporaryFolder()
  const pool = makePool(folder)
  const volumes = [...POOL, { name: 'other', segments: [linear(0, 4, '"pool_tdata", 0')] }]
  assert.equal(await freePoolBytes(...disksWith(pool, { volumes })), 0)
})

test('thin volumes whose pool is damaged are refused by name, and nothing of it is free', async () => {
  using folder = temporaryFolder()
  const pool = makePool(folder)
  const disks = disksWith(pool)
  const [, second] = disks
  second?.fill(0xff, extentOffset(0), extentOffset(0) + 512)
  const stack = await stackOf(...disks)
  assert.deepEqual(
    stack.unmapped.map(({ name, what }) => [name, what]),
    [
      ['group/thin1', 'damaged: thin pool superblock'],
      ['group/thin2', 'damaged: thin pool superblock'],
    ],
  )
  const free = await freeOnImages(stack)
  assert.deepEqual(freeChunks(free), [])
  // What no volume has is free all the same: 63 extents less the 12 of the first disk, and less 14 of the second.
  assert.deepEqual(free.map(bytesOf), [51 * EXTENT_BYTES, 49 * EXTENT_BYTES])
})

test('thin volumes are mapped only as long as their maps fit into memory together', async () => {
  using folder = temporaryFolder()
  const pool = makePool(folder)
  const disks = disksWith(pool)
  const images = disks.map((bytes, index) => ({ name: `disk${index}`, image: bytesImage(bytes) }))
  const range = { offset: 0, length: THIN_EXTENTS * EXTENT_BYTES }
  const first = volumeLayer(volumeNamed(await stackOf(...disks), 'group/thin1'))
  const mappedExtentCountMax = [...first.extentsIn(range)].length + 3
  const stack = await openVolumeStack(images, NEVER, { mappedExtentCountMax })
  assert.deepEqual(
    stack.unmapped.map(({ name, what }) => [name, what]),
    [['group/thin2', 'map']],
  )
  assert.match(stack.unmapped[0]?.reason ?? '', /Cannot hold map in memory/)
})
