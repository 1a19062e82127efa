import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { noiseBytes, textBytes } from '../../test/support/sample-files.ts'
import { ErrorCode } from '../domain/backup-error.ts'
import { MemoryStore } from '../stores/memory-store.ts'
import type { ChunkLocation } from './chunk-location.ts'
import { deriveRepositoryKeys } from './keys.ts'
import { packName } from './object-names.ts'
import { PackBuilder, packBufferSize, type FinishedPack } from './pack-builder.ts'
import { DIRECTORY_ENTRY_SIZE, Encoding, EntryKind, PACK_ALIGNMENT, parseDirectory } from './pack-format.ts'
import { PackReader } from './pack-reader.ts'
import { portableCodec } from './portable-codec.ts'

const CHUNK = 16_384
const GUARD = 4096
const repositoryId = '0123456789abcdef0123456789abcdef'
const masterKey = new Uint8Array(randomBytes(32))

type Bench = ReturnType<typeof benchOf>

function benchOf(how: { readonly encrypted: boolean; readonly compress?: boolean }) {
  const keys = how.encrypted ? deriveRepositoryKeys(masterKey) : null
  const sealing = { repositoryId, keys }
  const codec = portableCodec({ idKey: keys?.idKey ?? null, level: 1 })
  const store = new MemoryStore()
  const options = { sealing, codec, compress: how.compress ?? true, randomSalt: () => randomBytes(32) }
  return {
    store,
    codec,
    builder: new PackBuilder(options),
    reader: new PackReader({ store, sealing, codec }),
    idOf(plaintext: Uint8Array): Uint8Array {
      const id = new Uint8Array(32)
      codec.chunkId(plaintext, id)
      return id
    },
  }
}

/** Fills a pack with `chunks`, stores it, and says where each lies. */
async function packOf(
  bench: Bench,
  chunks: readonly { readonly plaintext: Uint8Array; readonly kind?: EntryKind }[],
): Promise<{ pack: FinishedPack; places: ChunkLocation[] }> {
  const buffer = new Uint8Array(packBufferSize({ packSizeBytes: 2 ** 20, chunkSizeBytes: CHUNK }))
  bench.builder.begin(buffer)
  for (const { plaintext, kind = EntryKind.Chunk } of chunks) {
    bench.builder.add({ id: bench.idOf(plaintext), kind, plaintext })
  }
  const pack = bench.builder.finish()
  await bench.store.put(packName(pack.id), pack.bytes)
  return { pack, places: placesOf(pack) }
}

function placesOf(pack: FinishedPack): ChunkLocation[] {
  const entryCount = pack.directory.byteLength / DIRECTORY_ENTRY_SIZE
  const view = new DataView(pack.directory.buffer, pack.directory.byteOffset)
  const last = pack.directory.byteLength - DIRECTORY_ENTRY_SIZE
  const directoryOffset = view.getUint32(last + 0x20, true) + view.getUint32(last + 0x24, true)
  const trailer = { directoryOffset, directoryLength: 0, entryCount }
  return parseDirectory(pack.directory, trailer).map(({ id: _id, ...place }) => ({
    packId: pack.id,
    ...place,
  }))
}

async function open(bench: Bench, place: ChunkLocation, plaintext: Uint8Array): Promise<Uint8Array> {
  const stored = await bench.reader.readStored(place)
  const key = await bench.reader.keyOf(place.packId)
  const target = new Uint8Array(plaintext.byteLength)
  bench.reader.openInto({ id: bench.idOf(plaintext), place, key, stored }, target)
  return target
}

const chunks = [
  { plaintext: textBytes('one', CHUNK) },
  { plaintext: noiseBytes('two', CHUNK) },
  { plaintext: noiseBytes('three', CHUNK) },
  { plaintext: textBytes('four', CHUNK) },
  { plaintext: noiseBytes('node', 333), kind: EntryKind.Node },
  { plaintext: textBytes('five', CHUNK) },
]

for (const encrypted of [true, false]) {
  const kind = encrypted ? 'sealed' : 'plain'

  test(`PackReader gives back what PackBuilder took, ${kind}`, async () => {
    const bench = benchOf({ encrypted })
    const { pack, places } = await packOf(bench, chunks)
    assert.equal(pack.bytes.byteLength % PACK_ALIGNMENT, 0)
    assert.equal(pack.id, createHash('sha256').update(pack.bytes).digest('hex'))
    for (const [number, { plaintext }] of chunks.entries()) {
      const place = places[number]
      assert(place !== undefined)
      assert.deepEqual(Buffer.from(await open(bench, place, plaintext)), Buffer.from(plaintext))
    }
    const node = places[4]
    assert(node !== undefined && node.kind === EntryKind.Node)
    const read = await bench.reader.readNode(bench.idOf(noiseBytes('node', 333)), node)
    assert.deepEqual(Buffer.from(read), Buffer.from(noiseBytes('node', 333)))
    const contents = await bench.reader.readContents(pack.id)
    assert.deepEqual(Buffer.from(contents.directory), Buffer.from(pack.directory))
  })

  test(`PackReader.openInto() says that a chunk is damaged for every byte that is flipped, ${kind}`, async () => {
    const bench = benchOf({ encrypted })
    for (const plaintext of [textBytes('small', 600), noiseBytes('small', 100)]) {
      const { places } = await packOf(bench, [{ plaintext }])
      const [place] = places
      assert(place !== undefined)
      const stored = await bench.reader.readStored(place)
      const key = await bench.reader.keyOf(place.packId)
      for (let at = 0; at < stored.byteLength; at += 1) {
        const flipped = Uint8Array.from(stored)
        flipped[at] = (flipped[at] ?? 0) ^ 0x10
        // A compressed frame may decompress to the same bytes all the same; then nothing is lost.
        const target = new Uint8Array(plaintext.byteLength)
        try {
          bench.reader.openInto({ id: bench.idOf(plaintext), place, key, stored: flipped }, target)
          assert.ok(!encrypted && place.encoding === Encoding.Zstd)
          assert.deepEqual(Buffer.from(target), Buffer.from(plaintext))
        } catch (error) {
          assert.ok(
            error instanceof Error && 'code' in error && error.code === ErrorCode.ChunkDamaged,
            `byte ${at}`,
          )
        }
      }
    }
  })

  test(`PackReader refuses a chunk under another id, size or place, ${kind}`, async () => {
    const bench = benchOf({ encrypted })
    const { places } = await packOf(bench, chunks)
    const [one, two] = places
    assert(one !== undefined && two !== undefined)
    const damaged = { code: ErrorCode.ChunkDamaged }
    await assert.rejects(open(bench, one, noiseBytes('two', CHUNK)), damaged)
    await assert.rejects(open(bench, two, textBytes('one', CHUNK)), damaged)
    await assert.rejects(open(bench, { ...one, offset: one.offset + 1 }, textBytes('one', CHUNK)), damaged)
    await assert.rejects(open(bench, { ...one, storedSize: 3 }, textBytes('one', CHUNK)), damaged)
    await assert.rejects(open(bench, { ...one, storedSize: 2 ** 24 }, textBytes('one', CHUNK)), damaged)
    await assert.rejects(open(bench, { ...one, encoding: Encoding.Raw }, textBytes('one', CHUNK)), damaged)
    const stored = await bench.reader.readStored(one)
    const key = await bench.reader.keyOf(one.packId)
    const short = new Uint8Array(CHUNK - 1)
    const entry = { id: bench.idOf(textBytes('one', CHUNK)), place: one, key, stored }
    assert.throws(() => bench.reader.openInto(entry, short), damaged)
  })

  test(`PackReader.readContents() refuses a pack whose ends are damaged, ${kind}`, async () => {
    const bench = benchOf({ encrypted })
    const { pack } = await packOf(bench, chunks)
    const size = pack.bytes.byteLength
    const name = packName(pack.id)
    const wholes = Uint8Array.from(pack.bytes)
    for (const at of [0, 8, 12, 16, 31, size - 32, size - 24, size - 20, size - 16, size - 1]) {
      const flipped = Uint8Array.from(wholes)
      flipped[at] = (flipped[at] ?? 0) ^ 0x81
      bench.store.objects.set(name, flipped)
      const fresh = new PackReader({
        store: bench.store,
        sealing: { repositoryId, keys: encrypted ? deriveRepositoryKeys(masterKey) : null },
        codec: bench.codec,
      })
      await assert.rejects(fresh.readContents(pack.id), { code: ErrorCode.RepositoryDamaged }, `byte ${at}`)
    }
    for (const length of [0, 95, 4096, size - 4096, size - 1]) {
      bench.store.objects.set(name, wholes.slice(0, length))
      await assert.rejects(bench.reader.readContents(pack.id), { code: ErrorCode.RepositoryDamaged })
    }
    bench.store.objects.delete(name)
    await assert.rejects(bench.reader.readContents(pack.id), { code: ErrorCode.RepositoryDamaged })
  })
}

test('PackReader says that a pack is missing, or cut short', async () => {
  const bench = benchOf({ encrypted: true })
  const { pack, places } = await packOf(bench, chunks)
  const last = places.at(-1)
  assert(last !== undefined)
  bench.store.objects.set(packName(pack.id), pack.bytes.slice(0, last.offset + 1))
  await assert.rejects(bench.reader.readStored(last), { code: ErrorCode.ChunkDamaged })
  bench.store.objects.delete(packName(pack.id))
  await assert.rejects(bench.reader.readStored(last), { code: ErrorCode.ChunkMissing })
})

test('PackBuilder stores what does not compress as it is', async () => {
  const bench = benchOf({ encrypted: true })
  const { places } = await packOf(bench, chunks)
  const encodings = places.map((place) => place.encoding)
  assert.deepEqual(encodings, [1, 0, 0, 1, 0, 1])
  assert.equal(places[1]?.storedSize, CHUNK + 16)
  assert.ok((places[0]?.storedSize ?? 0) < CHUNK / 2)
})

test('PackBuilder compresses nothing where that is off', async () => {
  const bench = benchOf({ encrypted: false, compress: false })
  const { places } = await packOf(bench, chunks)
  assert.ok(places.every((place) => place.encoding === Encoding.Raw))
  assert.equal(places[0]?.storedSize, CHUNK)
})

test('PackBuilder compresses only a sample after a chunk that did not compress, and all of it after one that did', async () => {
  const bench = benchOf({ encrypted: false })
  const lengths: number[] = []
  const { codec } = bench
  const compress = codec.compress.bind(codec)
  codec.compress = (plaintext, target) => {
    lengths.push(plaintext.byteLength)
    return compress(plaintext, target)
  }
  const noise = (name: string) => ({ plaintext: noiseBytes(name, CHUNK) })
  const text = (name: string) => ({ plaintext: textBytes(name, CHUNK) })
  await packOf(bench, [text('a'), noise('b'), noise('c'), noise('d'), text('e'), text('f')])
  assert.deepEqual(lengths, [CHUNK, CHUNK, 4096, 4096, 4096, CHUNK, CHUNK])
})

test('PackBuilder never leaves its buffer, however small or incompressible the entries are', () => {
  for (const encrypted of [true, false]) {
    for (const size of [1, 17, 500, CHUNK]) {
      const bench = benchOf({ encrypted })
      const room = packBufferSize({ packSizeBytes: 65_536, chunkSizeBytes: CHUNK })
      const memory = new Uint8Array(room + 2 * GUARD).fill(0xee)
      bench.builder.begin(memory.subarray(GUARD, GUARD + room))
      let count = 0
      while (bench.builder.hasRoomFor(size)) {
        const plaintext = noiseBytes(`${count}`, size)
        bench.builder.add({ id: bench.idOf(plaintext), kind: EntryKind.Chunk, plaintext })
        count += 1
      }
      const pack = bench.builder.finish()
      assert.ok(pack.bytes.byteLength <= room)
      assert.equal(pack.directory.byteLength, count * DIRECTORY_ENTRY_SIZE)
      assert.equal(pack.bytes.byteOffset, GUARD)
      const guards = [memory.subarray(0, GUARD), memory.subarray(GUARD + room)]
      for (const guard of guards) assert.ok(guard.every((byte) => byte === 0xee))
      assert.equal(placesOf(pack).length, count)
      // A pack that was aimed at was reached: what lanes and the writer of nodes count on.
      if (size >= 64) assert.ok(count * (size + 16) > 65_536 - size, `${count} of ${size}`)
    }
  }
})

test('PackBuilder refuses what it has no room for, and to finish nothing', () => {
  const bench = benchOf({ encrypted: true })
  assert.throws(() => bench.builder.finish(), { name: 'AssertionError' })
  bench.builder.begin(new Uint8Array(10_000))
  const plaintext = noiseBytes('large', CHUNK)
  assert.ok(!bench.builder.hasRoomFor(CHUNK))
  const entry = { id: bench.idOf(plaintext), kind: EntryKind.Chunk, plaintext }
  assert.throws(() => bench.builder.add(entry), { name: 'AssertionError' })
})

test('PackBuilder fills one pack after the other in the same buffer', async () => {
  const bench = benchOf({ encrypted: true })
  const first = await packOf(bench, chunks)
  const second = await packOf(bench, chunks.slice(2))
  assert.notEqual(first.pack.id, second.pack.id)
  assert.equal(
    (await bench.reader.readContents(second.pack.id)).directory.byteLength,
    4 * DIRECTORY_ENTRY_SIZE,
  )
})
