import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { appendFile, chmod, open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Extent } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'
import { allocateAligned } from './aligned-memory.ts'
import { openLocalSource, type LocalSource } from './local-source.ts'
import { loopDevice } from '../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../test/support/requirements.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const signal = new AbortController().signal
const skip = needsLoopDevices()

async function makeSparse(path: string, sizeBytes: number, dataAt: readonly number[]): Promise<void> {
  await using file = await open(path, 'w')
  await file.truncate(sizeBytes)
  for (const offset of dataAt) await file.write(new Uint8Array(65_536).fill(7), 0, 65_536, offset)
}

async function dataRanges(source: LocalSource, range: Range): Promise<readonly Range[]> {
  return (await Array.fromAsync(source.dataRanges(range, signal))).flat()
}

function addressSpaceBytes(): number {
  return Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
}

test('openLocalSource() describes an image file', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await makeSparse(path, 8 * MIB, [])
  await using source = await openLocalSource(path)
  assert.equal(source.type, 'file')
  assert.equal(source.sizeBytes, 8 * MIB)
  assert.equal(source.identity, null)
  assert.equal(source.direct, false)
})

test('openLocalSource() refuses what has no image, with one sentence', async () => {
  using folder = temporaryFolder()
  const empty = join(folder.path, 'empty.img')
  const pipe = join(folder.path, 'pipe')
  await writeFile(empty, '')
  execFileSync('mkfifo', [pipe])
  const cases = [
    [join(folder.path, 'nothing'), 'SOURCE_MISSING', /does not exist/],
    [join(empty, 'below'), 'SOURCE_MISSING', /does not exist/],
    [folder.path, 'SOURCE_UNSUITABLE', /it is a directory, required is a volume .* or an image file$/],
    [empty, 'SOURCE_UNSUITABLE', /it holds 0 bytes/],
    [pipe, 'SOURCE_UNSUITABLE', /it is a named pipe/],
    ['/dev/null', 'SOURCE_UNSUITABLE', /it is a character device/],
  ] as const
  for (const [path, code, message] of cases) {
    await assert.rejects(openLocalSource(path), { name: 'BackupError', code, message })
  }
})

test('openLocalSource() says that permission is missing', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await writeFile(path, 'secret', { mode: 0 })
  await chmod(folder.path, 0o755)
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65_534) // Root may read everything.
  try {
    await assert.rejects(openLocalSource(path), {
      code: 'SOURCE_UNREADABLE',
      message: /EACCES, permission is denied, required is a user who may read it/,
    })
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

test('dataRanges() gives the data of a sparse file, clipped', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await makeSparse(path, 64 * MIB, [MIB, 9 * MIB, 64 * MIB - 65_536])
  await using source = await openLocalSource(path)
  assert.deepEqual(await dataRanges(source, { offset: 0, length: 64 * MIB }), [
    { offset: MIB, length: 65_536 },
    { offset: 9 * MIB, length: 65_536 },
    { offset: 64 * MIB - 65_536, length: 65_536 },
  ])
  assert.deepEqual(await dataRanges(source, { offset: MIB + 4096, length: 8 * MIB }), [
    { offset: MIB + 4096, length: 61_440 },
    { offset: 9 * MIB, length: 4096 },
  ])
  assert.deepEqual(await dataRanges(source, { offset: 10 * MIB, length: MIB }), [])
})

test('dataRanges() comes in batches and obeys its signal', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  const fragments = Array.from({ length: 5000 }, (_, index) => index * 2 * 65_536)
  await makeSparse(path, 5000 * 2 * 65_536, fragments)
  await using source = await openLocalSource(path)
  const whole = { offset: 0, length: source.sizeBytes }
  const batches = await Array.fromAsync(source.dataRanges(whole, signal))
  assert.deepEqual(
    batches.flat().map((range) => range.offset),
    fragments,
  )
  assert.ok(batches.length >= 3)
  const cancelled = AbortSignal.abort(new Error('enough'))
  await assert.rejects(Array.fromAsync(source.dataRanges(whole, cancelled)), /enough/)
})

test('image() maps data and holes and reads both', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await makeSparse(path, 4 * MIB, [MIB])
  await using source = await openLocalSource(path)
  const image = source.image()
  const extents: readonly Extent[] = (
    await Array.fromAsync(image.extents({ offset: 0, length: 4 * MIB }, signal))
  ).flat()
  assert.deepEqual(extents, [
    { kind: 'zero', offset: 0, length: MIB },
    { kind: 'data', offset: MIB, length: 65_536, device: 0, physicalOffset: MIB },
    { kind: 'zero', offset: MIB + 65_536, length: 3 * MIB - 65_536 },
  ])
  const bytes = new Uint8Array(3)
  await image.readInto(bytes, MIB - 1)
  assert.deepEqual([...bytes], [0, 7, 7])
})

test('image() says that the source became shorter', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await makeSparse(path, 4 * MIB, [])
  await using source = await openLocalSource(path)
  await truncate(path, MIB)
  await assert.rejects(source.image().readInto(new Uint8Array(4096), MIB - 1024), {
    code: 'SOURCE_SHRANK',
    data: { path, offset: MIB, sizeBytes: 4 * MIB },
  })
})

test('fingerprint() changes when the file is written to', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await makeSparse(path, MIB, [])
  await using source = await openLocalSource(path)
  const before = await source.fingerprint()
  assert.equal(await source.fingerprint(), before)
  await appendFile(path, 'more')
  assert.notEqual(await source.fingerprint(), before)
})

for (const sectorSizeBytes of [512, 4096]) {
  test(`openLocalSource() reads a device of ${sectorSizeBytes}-byte sectors`, { skip }, async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'volume.img')
    const content = randomFillSync(new Uint8Array(3 * MIB))
    await writeFile(path, content)
    using device = loopDevice(path, { sectorSizeBytes })
    await using source = await openLocalSource(device.path)
    assert.equal(source.type, 'device')
    assert.equal(source.direct, true)
    assert.deepEqual(source.identity, { name: null, sizeBytes: 3 * MIB, sectorSizeBytes })
    const whole = { offset: 0, length: 3 * MIB }
    assert.deepEqual(await dataRanges(source, whole), [whole])
    const image = source.image()
    for (const [offset, length] of [
      [0, 3 * MIB],
      [1, 2 * MIB + 17],
      [4096, 512],
      [3 * MIB - 5, 5],
    ] as const) {
      const anywhere = new Uint8Array(length)
      await image.readInto(anywhere, offset)
      assert.ok(Buffer.from(anywhere).equals(content.subarray(offset, offset + length)))
    }
    const aligned = allocateAligned(MIB)
    await image.readInto(aligned, MIB)
    assert.ok(Buffer.from(aligned).equals(content.subarray(MIB, 2 * MIB)))
  })
}

test('image() reads the odd tail of a device that is no multiple of 4096', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  const content = randomFillSync(new Uint8Array(65_536 + 512))
  await writeFile(path, content)
  using device = loopDevice(path)
  await using source = await openLocalSource(device.path)
  const bytes = new Uint8Array(content.byteLength)
  await source.image().readInto(bytes, 0)
  assert.ok(Buffer.from(bytes).equals(content))
})

test('image() reads many odd ranges at once through a few buffers', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  const bytes = randomFillSync(new Uint8Array(4 * MIB))
  await writeFile(path, bytes)
  using device = loopDevice(path)
  await using source = await openLocalSource(device.path)
  const image = source.image()
  const before = addressSpaceBytes()
  const offsets = Array.from({ length: 2000 }, (_, index) => index * 2000 + 3)
  await Promise.all(
    offsets.map(async (offset) => {
      const target = new Uint8Array(1500)
      await image.readInto(target, offset)
      assert.deepEqual(target, bytes.subarray(offset, offset + 1500))
    }),
  )
  // Of aligned memory each piece takes 8 GiB of addresses.
  assert.ok(addressSpaceBytes() - before < 1024 * GIB)
})

test('image() says where a device failed', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await writeFile(path, randomFillSync(new Uint8Array(4 * MIB)))
  using device = loopDevice(path)
  await truncate(path, 2 * MIB)
  await using source = await openLocalSource(device.path)
  const image = source.image()
  const bytes = allocateAligned(MIB)
  await image.readInto(bytes, MIB)
  await assert.rejects(image.readInto(bytes, 2 * MIB), {
    code: 'SOURCE_READ_FAILED',
    message:
      `Cannot read "${device.path}" at offset ${2 * MIB}, length ${MIB}: ` +
      'the device reports EIO, an input/output error',
    data: { path: device.path, offset: 2 * MIB, length: MIB, errno: 'EIO' },
  })
})

test('fingerprint() changes when another disk comes under the same name', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await makeSparse(path, MIB, [])
  const fingerprints: string[] = []
  for (let round = 0; round < 2; round += 1) {
    using device = loopDevice(path)
    await using source = await openLocalSource(device.path)
    assert.equal(await source.fingerprint(), await source.fingerprint())
    fingerprints.push(await source.fingerprint())
  }
  assert.notEqual(fingerprints[0], fingerprints[1])
})
