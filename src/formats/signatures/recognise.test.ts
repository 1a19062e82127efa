import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { bytesImage, fileImage } from '../../../test/support/bytes-image.ts'
import { loopDevice } from '../../../test/support/loop-device.ts'
import { partitionedDisk } from '../../../test/support/partitioned-disk.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { roundsImage } from '../../../test/support/rounds-image.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { failingImage } from '../../images/failing-image.ts'
import { recognise, type Recognition } from './recognise.ts'
import { SIGNATURES } from './signature-table.ts'
import { offsetOfPlace, type Signature } from './signature.ts'

const SIGNAL = new AbortController().signal
const MIB = 2 ** 20

/** A file of zeros that `make` formats. */
async function recogniseMade(sizeBytes: number, make: (path: string) => void): Promise<Recognition> {
  using folder = temporaryFolder()
  const path = folder.join('volume')
  const file = openSync(path, 'w')
  ftruncateSync(file, sizeBytes)
  closeSync(file)
  make(path)
  await using image = fileImage(path)
  return await recognise(image, SIGNAL)
}

function recogniseBytes(bytes: Uint8Array): Promise<Recognition> {
  return recognise(bytesImage(bytes), SIGNAL)
}

/** Writes the marks of `signature` at the place with this index. */
function plant(bytes: Uint8Array, signature: Signature, index: number): void {
  const place = signature.places[index]
  assert(place !== undefined)
  const offset = offsetOfPlace(place, bytes.byteLength)
  assert(offset !== null)
  for (const [at, magic] of signature.magic) bytes.set(magic, offset + at)
}

function signatureOf(name: string): Signature {
  const signature = SIGNATURES.find((each) => each.name === name)
  assert(signature !== undefined)
  return signature
}

for (const [kind, name, sizeMib, command, ...words] of [
  ['ext', 'ext', 8, 'mke2fs', '-q', '-t', 'ext4'],
  ['ext', 'ext', 1, 'mke2fs', '-q', '-t', 'ext2'],
  ['foreign', 'ext journal', 8, 'mke2fs', '-q', '-O', 'journal_dev', '-b', '1024'],
  ['xfs', 'xfs', 320, 'mkfs.xfs', '-q'],
  ['xfs', 'xfs', 320, 'mkfs.xfs', '-q', '-s', 'size=4096'],
  ['foreign', 'btrfs', 128, 'mkfs.btrfs', '-q'],
  ['foreign', 'swap', 4, 'mkswap', '-p', '4096'],
  ['foreign', 'swap', 4, 'mkswap', '-p', '65536'],
  ['foreign', 'minix', 4, 'mkfs.minix', '-3'],
  ['foreign', 'bfs', 4, 'mkfs.bfs'],
] as const) {
  test(`recognise() knows ${name} as ${[command, ...words].join(' ')} makes it`, async () => {
    const found = await recogniseMade(sizeMib * MIB, (path) => runTool(command, [...words, path]))
    assert.deepEqual([found.kind, found.name, found.claims.length], [kind, name, 1])
  })
}

test('recognise() knows a physical volume', { skip: needsLoopDevices() }, async () => {
  const found = await recogniseMade(8 * MIB, (path) => {
    using device = loopDevice(path)
    runTool('pvcreate', ['--quiet', '--config', `devices/filter=["a|${device.path}|","r|.*|"]`, device.path])
  })
  assert.deepEqual([found.kind, found.name], ['lvm2', 'lvm2'])
})

test('recognise() knows the metadata of a thin pool', async () => {
  const xml = '<superblock uuid="" time="0" transaction="1" data_block_size="128" nr_data_blocks="0"/>'
  const found = await recogniseMade(2 * MIB, (path) => {
    writeFileSync(`${path}.xml`, xml)
    runTool('thin_restore', ['--input', `${path}.xml`, '--output', path])
  })
  assert.deepEqual([found.kind, found.name], ['foreign', 'dm-thin metadata'])
})

test('recognise() knows partition tables', async () => {
  for (const [label, kind] of [
    ['gpt', 'gpt'],
    ['dos', 'mbr'],
  ] as const) {
    const script = `label: ${label}\nsize=1MiB\n`
    const { bytes } = partitionedDisk({ sizeBytes: 4 * MIB, sectorSizeBytes: 512, script })
    const found = await recogniseBytes(bytes)
    assert.deepEqual([found.kind, found.name, found.claims.length], [kind, kind, 1])
  }
})

test('recognise() says gpt of a damaged one, and forgets the backup of a disk used anew', async () => {
  const disk = partitionedDisk({
    sizeBytes: 8 * MIB,
    sectorSizeBytes: 512,
    script: 'label: gpt\nsize=1MiB\n',
  })
  const damaged = disk.bytes.slice()
  damaged.fill(0, 512, 1024)
  damaged.fill(0, 8 * MIB - 512)
  assert.equal((await recogniseBytes(damaged)).kind, 'gpt')

  const bare = disk.bytes.slice()
  bare.fill(0, 0, 512)
  assert.equal((await recogniseBytes(bare)).kind, 'gpt')

  const reused = await recogniseMade(8 * MIB, (path) => {
    writeFileSync(path, disk.bytes)
    runTool('mke2fs', ['-q', '-F', '-t', 'ext4', path])
    // Not every tool zeroes the end as this one does: the backup header comes back.
    const bytes = new Uint8Array(readFileSync(path))
    bytes.set(disk.bytes.subarray(-33 * 512), 8 * MIB - 33 * 512)
    writeFileSync(path, bytes)
  })
  assert.deepEqual([reused.kind, reused.name], ['ext', 'ext'])
})

test('recognise() believes none of two claims, and names both', async () => {
  const made = (words: readonly string[], planted: string): Promise<Recognition> =>
    recogniseMade(8 * MIB, (path) => {
      runTool('mke2fs', ['-q', ...words, path])
      const bytes = new Uint8Array(readFileSync(path))
      const signature = signatureOf(planted)
      plant(bytes, signature, 0)
      writeFileSync(path, bytes)
    })
  const stale = await made(['-t', 'ext4'], 'btrfs')
  assert.deepEqual(stale, {
    kind: 'unknown',
    name: 'ext and btrfs',
    claims: [
      { kind: 'ext', name: 'ext', offsetBytes: 1024 },
      { kind: 'foreign', name: 'btrfs', offsetBytes: 64 * 1024 },
    ],
  })
  const member = await made(['-t', 'ext4'], 'md raid 1.0')
  assert.deepEqual([member.kind, member.name], ['unknown', 'ext and md raid 1.0'])

  const disk = partitionedDisk({
    sizeBytes: 4 * MIB,
    sectorSizeBytes: 512,
    script: 'label: dos\nsize=1MiB\n',
  })
  plant(disk.bytes, signatureOf('iso9660'), 0)
  assert.equal((await recogniseBytes(disk.bytes)).name, 'mbr and iso9660')

  const bytes = new Uint8Array(MIB)
  for (const name of ['iso9660', 'udf']) plant(bytes, signatureOf(name), 0)
  assert.equal((await recogniseBytes(bytes)).kind, 'foreign')
})

test('recognise() takes a table without partitions, and weak marks, only where there is nothing else', async () => {
  const bytes = new Uint8Array(2 * MIB)
  bytes.set([0x55, 0xaa], 510)
  assert.deepEqual((await recogniseBytes(bytes)).name, 'mbr')
  plant(bytes, signatureOf('ext'), 0) // A boot loader on a disk that is one file system.
  assert.deepEqual((await recogniseBytes(bytes)).name, 'ext')
  plant(bytes, signatureOf('minix'), 0)
  assert.deepEqual((await recogniseBytes(bytes)).name, 'ext')
})

async function assertFound(signature: Signature, place: { index: number; sizeBytes: number }): Promise<void> {
  const bytes = new Uint8Array(place.sizeBytes)
  plant(bytes, signature, place.index)
  const { kind, name, claims } = await recogniseBytes(bytes)
  assert.deepEqual([kind, name, claims.length], [signature.kind, signature.name, 1])
}

test('recognise() finds each row of its table', async () => {
  for (const signature of SIGNATURES) await assertFound(signature, { index: 0, sizeBytes: 3 * MIB })
})

test('recognise() finds a row at each of its places, whatever the size of the volume', async () => {
  const anyCase = fc.constantFrom(...SIGNATURES).chain((signature) =>
    fc.record({
      signature: fc.constant(signature),
      index: fc.nat(signature.places.length - 1),
      extra: fc.nat(5000),
    }),
  )
  await fc.assert(
    fc.asyncProperty(anyCase, async ({ signature, index, extra }) => {
      await assertFound(signature, { index, sizeBytes: 5 * MIB + extra })
    }),
    { numRuns: 50 },
  )
})

test('recognise() tells empty from unknown', async () => {
  assert.equal((await recogniseBytes(new Uint8Array(3 * MIB))).kind, 'empty')
  assert.equal((await recogniseBytes(new Uint8Array(0))).kind, 'empty')
  for (const offset of [0, 100_000, 3 * MIB - 1]) {
    const bytes = new Uint8Array(3 * MIB)
    bytes[offset] = 1
    assert.deepEqual(await recogniseBytes(bytes), { kind: 'unknown', name: 'unknown', claims: [] })
  }
})

test('recognise() survives any bytes of any size', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
      await recogniseBytes(bytes)
    }),
  )
})

test('recognise() reads little, and passes on that a place cannot be read', async () => {
  let readBytesCount = 0
  const bytes = new Uint8Array(64 * MIB)
  const image = bytesImage(bytes, { onRead: ({ length }) => (readBytesCount += length) })
  await recognise(image, SIGNAL)
  assert(readBytesCount <= 3 * MIB, `read ${readBytesCount} bytes`)
  const broken = failingImage(image, { offset: 64 * MIB - 512, length: 512 })
  await assert.rejects(recognise(broken, SIGNAL), { code: 'EIO' })
  const aborted = AbortSignal.abort(new Error('stop'))
  await assert.rejects(recognise(image, aborted), { message: 'stop' })
})

test('recognise() asks for all that it looks at in one round: a disk may be far away', async () => {
  const far = roundsImage(bytesImage(new Uint8Array(8 * MIB)))
  assert.equal((await recognise(far.image, SIGNAL)).kind, 'empty')
  const [first, ...others] = far.rounds()
  assert.ok(first !== undefined && first >= 10 && others.length === 0, far.rounds().join(', '))
})
