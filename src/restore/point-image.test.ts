import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as assertProperty, asyncProperty, boolean, nat, record } from 'fast-check'

import {
  backUpInThread,
  openIndex,
  type OpenIndex,
  TEST_CHUNK_SIZE,
  testRepository,
} from '../../test/support/in-thread-backup.ts'
import { mixedBytes } from '../../test/support/mixed-bytes.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import type { PointObject } from '../domain/recovery-point.ts'
import { StoredChunks } from '../lane/stored-chunks.ts'
import { cachedNodes } from '../repository/node-cache.ts'
import { nodeReader } from '../repository/node-reader.ts'
import type { Repository } from '../repository/repository.ts'
import { MemoryStore } from '../stores/memory-store.ts'
import { ChunkCache } from './chunk-cache.ts'
import { pointImage } from './point-image.ts'

const never = new AbortController().signal

type OpenImage = Disposable & { readonly image: FrozenImage; readonly brought: () => number }

function storedChunks(repository: Repository, index: OpenIndex): StoredChunks {
  const { chunkSizeBytes } = repository.config
  const { packs } = repository
  return new StoredChunks({ packs, index: index.locator, chunkSizeBytes, allocate })
}

function allocate(bytes: number): Uint8Array {
  return new Uint8Array(bytes)
}

async function openImage(repository: Repository, object: PointObject, cacheChunks = 64): Promise<OpenImage> {
  const index = await openIndex(repository)
  const { chunkSizeBytes } = repository.config
  const stored = storedChunks(repository, index)
  let count = 0
  const chunks = new ChunkCache({
    source: {
      bring: (wanted) => {
        count += wanted.length
        return stored.fill(wanted)
      },
    },
    chunkSizeBytes,
    memoryBytes: cacheChunks * chunkSizeBytes,
  })
  const nodes = cachedNodes(nodeReader(repository.packs, index.locator))
  return {
    image: pointImage(object, { nodes, chunkSizeBytes, chunks }),
    brought: () => count,
    [Symbol.dispose]: () => index[Symbol.dispose](),
  }
}

/** Data, zeros, and data again, over more than one leaf and with an odd end. */
function sampleBytes(): Uint8Array {
  const bytes = new Uint8Array(700 * TEST_CHUNK_SIZE + 123)
  bytes.set(mixedBytes('start', 40 * TEST_CHUNK_SIZE))
  bytes.set(mixedBytes('middle', 20 * TEST_CHUNK_SIZE + 77), 250 * TEST_CHUNK_SIZE + 11)
  bytes.set(mixedBytes('end', 5 * TEST_CHUNK_SIZE), bytes.byteLength - 5 * TEST_CHUNK_SIZE)
  return bytes
}

async function backedUp(bytes: Uint8Array): Promise<{ repository: Repository; object: PointObject }> {
  const repository = testRepository(new MemoryStore())
  const { point } = await backUpInThread(repository, { image: { bytes }, seed: 1 })
  const [object] = point.objects
  assert.ok(object !== undefined)
  return { repository, object }
}

test('pointImage() reads any range as it was backed up, in any order, with little memory', async () => {
  const bytes = sampleBytes()
  const { repository, object } = await backedUp(bytes)
  for (const cacheChunks of [2, 7, 64]) {
    using opened = await openImage(repository, object, cacheChunks)
    const { image } = opened
    assert.equal(image.sizeBytes, bytes.byteLength)
    const ranges = array(
      record({
        offset: nat(bytes.byteLength),
        length: nat(9 * TEST_CHUNK_SIZE),
        together: boolean(),
      }),
      { maxLength: 30 },
    )
    await assertProperty(
      asyncProperty(ranges, async (wanted) => {
        let pending: Promise<void>[] = []
        for (const { offset, length, together } of wanted) {
          const target = new Uint8Array(Math.min(length, bytes.byteLength - offset)).fill(0xee)
          const expected = bytes.subarray(offset, offset + target.byteLength)
          pending.push(image.readInto(target, offset).then(() => assert.deepEqual(target, expected)))
          if (together) continue
          await Promise.all(pending)
          pending = []
        }
        await Promise.all(pending)
      }),
      { numRuns: 40 },
    )
  }
})

test('pointImage() maps stored chunks as data and the others as zeros', async () => {
  const bytes = sampleBytes()
  const { repository, object } = await backedUp(bytes)
  using opened = await openImage(repository, object)
  const { image } = opened
  for (const range of [
    { offset: 0, length: image.sizeBytes },
    { offset: 39 * TEST_CHUNK_SIZE + 5, length: 300 * TEST_CHUNK_SIZE },
    { offset: image.sizeBytes - 1, length: 1 },
  ]) {
    let at = range.offset
    for await (const batch of image.extents(range, never)) {
      for (const extent of batch) {
        assert.equal(extent.offset, at)
        if (extent.kind === 'data') assert.equal(extent.physicalOffset, at)
        else assert.ok(bytes.subarray(at, at + extent.length).every((byte) => byte === 0))
        at += extent.length
      }
    }
    assert.equal(at, range.offset + range.length)
  }
  assert.equal(opened.brought(), 0)
})

test('pointImage() fetches what is read, and ahead only where reading goes on', async () => {
  const { repository, object } = await backedUp(sampleBytes())
  using opened = await openImage(repository, object)
  const target = new Uint8Array(100)
  await opened.image.readInto(target, 3 * TEST_CHUNK_SIZE)
  await opened.image.readInto(target, 20 * TEST_CHUNK_SIZE)
  await opened.image.readInto(target, 3 * TEST_CHUNK_SIZE + 50)
  await opened.image.readInto(target, 100 * TEST_CHUNK_SIZE)
  assert.equal(opened.brought(), 2)
  await opened.image.readInto(target, 21 * TEST_CHUNK_SIZE)
  await opened.image.readInto(target, 22 * TEST_CHUNK_SIZE)
  await opened.image.readInto(target, 23 * TEST_CHUNK_SIZE)
  const ahead = opened.brought() - 5
  assert.ok(ahead >= 1 && ahead <= 8, `${ahead}`)
})

test('pointImage() of zeros needs no chunk, and a damaged one hurts nothing but itself', async () => {
  const zeros = await backedUp(new Uint8Array(3 * TEST_CHUNK_SIZE + 1))
  using blank = await openImage(zeros.repository, zeros.object)
  const target = new Uint8Array(3 * TEST_CHUNK_SIZE + 1).fill(1)
  await blank.image.readInto(target, 0)
  assert.ok(target.every((byte) => byte === 0))
  assert.equal(blank.brought(), 0)

  const bytes = mixedBytes('all', 10 * TEST_CHUNK_SIZE)
  const { repository, object } = await backedUp(bytes)
  using index = await openIndex(repository)
  const damagedId = new Uint8Array(32)
  repository.codec.chunkId(bytes.subarray(4 * TEST_CHUNK_SIZE, 5 * TEST_CHUNK_SIZE), damagedId)
  const stored = storedChunks(repository, index)
  const chunks = new ChunkCache({
    source: {
      bring: async (wanted) => {
        if (wanted.some(({ id }) => Buffer.compare(id, damagedId) === 0)) {
          throw new BackupError(ErrorCode.ChunkDamaged, 'Cannot open chunk')
        }
        await stored.fill(wanted)
      },
    },
    chunkSizeBytes: TEST_CHUNK_SIZE,
    memoryBytes: 8 * TEST_CHUNK_SIZE,
  })
  const nodes = cachedNodes(nodeReader(repository.packs, index.locator))
  const image = pointImage(object, { nodes, chunkSizeBytes: TEST_CHUNK_SIZE, chunks })
  await assert.rejects(image.readInto(new Uint8Array(5000), 0), { code: ErrorCode.ChunkDamaged })
  for (const offset of [0, 5 * TEST_CHUNK_SIZE]) {
    const sound = new Uint8Array(4 * TEST_CHUNK_SIZE)
    await image.readInto(sound, offset)
    assert.ok(Buffer.compare(sound, bytes.subarray(offset, offset + sound.byteLength)) === 0)
  }
})
