import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { ErrorCode } from '../domain/backup-error.ts'
import type { ChunkLocation } from '../repository/chunk-location.ts'
import { packName } from '../repository/object-names.ts'
import { PackBuilder, packBufferSize } from '../repository/pack-builder.ts'
import { EntryKind, parseDirectory } from '../repository/pack-format.ts'
import { PackReader } from '../repository/pack-reader.ts'
import { portableCodec } from '../repository/portable-codec.ts'
import { MemoryStore } from '../stores/memory-store.ts'
import { StoredChunks } from './stored-chunks.ts'

const chunkSizeBytes = 16_384
const keys = { idKey: randomBytes(32), sealKey: randomBytes(32) }
const sealing = { repositoryId: 'ab'.repeat(16), keys }
const codec = portableCodec({ idKey: keys.idKey, level: 1 })

/** Packs of the given chunks in a store, and an index of them. */
async function packed(packs: readonly (readonly Uint8Array[])[]): Promise<{
  readonly store: MemoryStore
  readonly locations: Map<string, ChunkLocation[]>
  readonly chunks: StoredChunks
}> {
  const store = new MemoryStore()
  const locations = new Map<string, ChunkLocation[]>()
  for (const plaintexts of packs) {
    const builder = new PackBuilder({ sealing, codec, compress: true, randomSalt: () => randomBytes(32) })
    builder.begin(new Uint8Array(packBufferSize({ packSizeBytes: 1_048_576, chunkSizeBytes })))
    for (const plaintext of plaintexts) builder.add({ id: idOf(plaintext), kind: EntryKind.Chunk, plaintext })
    const pack = builder.finish()
    await store.put(packName(pack.id), pack.bytes)
    for (const entry of entriesOf(pack.directory)) {
      const known = locations.get(entry.id.toHex()) ?? []
      locations.set(entry.id.toHex(), [...known, { packId: pack.id, ...entry }])
    }
  }
  const locateAll = (id: Uint8Array): ChunkLocation[] => locations.get(id.toHex()) ?? []
  const index = { locate: (id: Uint8Array) => locateAll(id)[0] ?? null, locateAll }
  const reader = new PackReader({ store, sealing, codec })
  return {
    store,
    locations,
    chunks: new StoredChunks({
      packs: reader,
      index,
      chunkSizeBytes,
      allocate: (bytes) => new Uint8Array(bytes),
    }),
  }
}

function entriesOf(directory: Uint8Array): ReturnType<typeof parseDirectory> {
  const view = new DataView(directory.buffer, directory.byteOffset)
  const last = directory.byteLength - 44
  const directoryOffset = view.getUint32(last + 0x20, true) + view.getUint32(last + 0x24, true)
  const trailer = {
    directoryOffset,
    directoryLength: directory.byteLength,
    entryCount: directory.byteLength / 44,
  }
  return parseDirectory(directory, trailer)
}

function idOf(plaintext: Uint8Array): Uint8Array {
  const id = new Uint8Array(32)
  codec.chunkId(plaintext, id)
  return id
}

function slotsFor(plaintexts: readonly Uint8Array[]): { id: Uint8Array; slot: Uint8Array }[] {
  return plaintexts.map((plaintext) => ({ id: idOf(plaintext), slot: new Uint8Array(chunkSizeBytes) }))
}

function flipByte(store: MemoryStore, location: ChunkLocation): void {
  const bytes = store.objects.get(packName(location.packId))
  assert(bytes !== undefined)
  bytes[location.offset] = (bytes[location.offset] ?? 0) ^ 1
}

const texts = Array.from({ length: 300 }, (_, at) =>
  at % 3 === 0 ? randomBytes(chunkSizeBytes) : new Uint8Array(chunkSizeBytes).fill(at + 1),
)

test('StoredChunks fills slots from several packs, in any order', async () => {
  const { chunks } = await packed([texts.slice(0, 100), texts.slice(100, 250), texts.slice(250)])
  const wanted = texts.toReversed()
  const slots = slotsFor(wanted)
  await chunks.fill(slots)
  for (const [at, { slot }] of slots.entries()) assert.deepEqual(slot, new Uint8Array(wanted[at] ?? []))
})

test('StoredChunks fills several slots with one chunk', async () => {
  const { chunks } = await packed([texts.slice(0, 4)])
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = texts
  const wanted = [first, second, first, first, second]
  const slots = slotsFor(wanted)
  await chunks.fill(slots)
  for (const [at, { slot }] of slots.entries()) assert.deepEqual(slot, new Uint8Array(wanted[at] ?? []))
})

test('StoredChunks takes a damaged chunk from another pack', async () => {
  const { store, locations, chunks } = await packed([texts.slice(0, 9), texts.slice(3, 6)])
  const damaged = texts[4] ?? new Uint8Array(0)
  const [location] = locations.get(idOf(damaged).toHex()) ?? []
  assert(location !== undefined)
  flipByte(store, location)
  const slots = slotsFor([damaged, damaged])
  await chunks.fill(slots)
  for (const { slot } of slots) assert.deepEqual(slot, new Uint8Array(damaged))
})

test('StoredChunks names the chunk that no pack has whole, and the pack that is missing', async () => {
  const { store, locations, chunks } = await packed([texts.slice(0, 9)])
  const damaged = texts[4] ?? new Uint8Array(0)
  const [location] = locations.get(idOf(damaged).toHex()) ?? []
  assert(location !== undefined)
  flipByte(store, location)
  await assert.rejects(chunks.fill(slotsFor([damaged])), {
    code: ErrorCode.ChunkDamaged,
    message: new RegExp(idOf(damaged).toHex()),
  })
  store.objects.clear()
  await assert.rejects(chunks.fill(slotsFor([damaged])), {
    code: ErrorCode.ChunkMissing,
    message: new RegExp(location.packId),
  })
  await assert.rejects(chunks.fill(slotsFor([randomBytes(chunkSizeBytes)])), { code: ErrorCode.ChunkMissing })
})
