import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DegradedCode } from '../../src/domain/ledger.ts'
import { endOf, type Range } from '../../src/domain/range.ts'
import type { PointObject, StoredPoint } from '../../src/domain/recovery-point.ts'
import { condemnPacks } from '../../src/repository/condemned.ts'
import { INDEX_PREFIX, PACKS_PREFIX, packName, WRITERS_PREFIX } from '../../src/repository/object-names.ts'
import { listPoints } from '../../src/repository/points.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { listAll } from '../../src/repository/store.ts'
import { DirectoryStore } from '../../src/stores/directory/directory-store.ts'
import { MemoryStore } from '../../src/stores/memory-store.ts'
import {
  backUpInThread,
  openIndex,
  readBack,
  testRepository,
  TEST_CHUNK_SIZE,
  type InThreadRequest,
} from '../support/in-thread-backup.ts'
import { sampleImage, withChanges } from '../support/sample-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const CHUNK = TEST_CHUNK_SIZE
const LEAF = 256 * CHUNK

function objectOf(stored: StoredPoint): PointObject {
  const [object] = stored.point.objects
  assert(object !== undefined)
  return object
}

/** Backs up, and proves that the point has the image's bytes and no fewer chunks than it says. */
async function backUpAndCompare(repository: Repository, request: InThreadRequest): Promise<StoredPoint> {
  const stored = await backUpInThread(repository, request)
  assert.deepEqual(Buffer.from(await readBack(repository, stored)), Buffer.from(request.image.bytes))
  return stored
}

for (const encryption of ['aes-256-gcm', 'none'] as const) {
  test(`a full backup holds the image, encryption ${encryption}`, async () => {
    const repository = testRepository(new MemoryStore(), { encryption })
    const image = sampleImage(1, 3 * LEAF + 5 * CHUNK + 77)
    const stored = await backUpAndCompare(repository, { image, seed: 1 })
    const { ledger } = objectOf(stored)
    assert.equal(ledger.doneMode, 'full')
    assert.equal(ledger.readBytes, image.bytes.byteLength)
    assert.equal(ledger.newChunkCount + ledger.reusedChunkCount, objectOf(stored).root.chunkCount)
    assert.deepEqual(stored.point.ledger.degraded, [])
    assert.deepEqual(await listAll(repository.store, WRITERS_PREFIX), [])
  })
}

test('a full backup goes through a directory as through memory', async () => {
  using folder = temporaryFolder()
  await using store = new DirectoryStore(folder.join('repository'))
  const repository = testRepository(store)
  const first = await backUpAndCompare(repository, { image: sampleImage(1, LEAF + 3), seed: 1 })
  const { points } = await listPoints(repository)
  assert.deepEqual(points, [first])
})

test('a compared backup of the same image reads all and stores nothing', async () => {
  const repository = testRepository(new MemoryStore())
  const image = sampleImage(2, LEAF * 2)
  const base = await backUpAndCompare(repository, { image, seed: 1 })
  const next = await backUpAndCompare(repository, { image, base, seed: 2 })
  const { ledger, root } = objectOf(next)
  assert.deepEqual([ledger.newChunkCount, ledger.reusedChunkCount, ledger.changedBytes], [0, 0, 0])
  assert.equal(ledger.readBytes, image.bytes.byteLength)
  assert.deepEqual(root, objectOf(base).root)
  assert.equal(next.point.ledger.storedBytes, 0)
})

test('a compared backup stores what differs, and no more', async () => {
  const repository = testRepository(new MemoryStore())
  const image = sampleImage(3, LEAF * 3 + 100)
  const base = await backUpAndCompare(repository, { image, seed: 1 })
  const changed = withChanges(image, { seed: 9, places: [0, 300, 301, 768] })
  const { ledger } = objectOf(await backUpAndCompare(repository, { image: changed, base, seed: 2 }))
  assert.deepEqual([ledger.doneMode, ledger.newChunkCount, ledger.changedBytes], ['compared', 4, 4 * CHUNK])
})

test('an incremental backup with a right list reads the list and the witnesses', async () => {
  const repository = testRepository(new MemoryStore())
  const image = sampleImage(4, LEAF * 4)
  const base = await backUpAndCompare(repository, { image, seed: 1 })
  const places = [3, 4, 255, 256, 700]
  const changed = withChanges(image, { seed: 9, places })
  const stored = await backUpAndCompare(repository, {
    image: { ...changed, changes: rangesOf(places) },
    base,
    seed: 2,
    witnessCount: 20,
  })
  const { ledger } = objectOf(stored)
  assert.deepEqual([ledger.doneMode, ledger.newChunkCount], ['incremental', places.length])
  assert.equal(ledger.readBytes, (places.length + 20) * CHUNK)
  assert.equal(ledger.listedBytes, places.length * CHUNK)
  assert.deepEqual(ledger.witnesses?.count, 20)
  assert.deepEqual(ledger.witnesses?.candidateCount, 1024 - places.length)
  assert.deepEqual(stored.point.ledger.degraded, [])
})

test('an incremental backup with a list that names too much stores only what differs', async () => {
  const repository = testRepository(new MemoryStore())
  const image = sampleImage(5, LEAF * 2 + 9)
  const base = await backUpAndCompare(repository, { image, seed: 1 })
  const changed = withChanges(image, { seed: 9, places: [10, 400] })
  const { ledger } = objectOf(
    await backUpAndCompare(repository, {
      image: { ...changed, changes: [{ offset: 1, length: LEAF * 2 }] },
      base,
      seed: 2,
    }),
  )
  assert.deepEqual([ledger.doneMode, ledger.newChunkCount], ['incremental', 2])
})

test('an incremental backup reads the whole of a chunk that is listed in part', async () => {
  const repository = testRepository(new MemoryStore())
  const image = sampleImage(5, LEAF)
  const base = await backUpAndCompare(repository, { image, seed: 1 })
  const bytes = new Uint8Array(image.bytes)
  bytes[5 * CHUNK + 7] = (bytes[5 * CHUNK + 7] ?? 0) ^ 1
  const changes = [{ offset: 5 * CHUNK + 7, length: 1 }]
  const next = await backUpAndCompare(repository, {
    image: { bytes, changes },
    base,
    seed: 2,
    witnessCount: 1,
  })
  assert.equal(objectOf(next).ledger.readBytes, 2 * CHUNK)
})

test('an incremental backup takes listed holes for zeros, and believes no hole that it was not told of', async () => {
  const repository = testRepository(new MemoryStore())
  const image = sampleImage(6, LEAF * 2)
  const base = await backUpAndCompare(repository, { image, seed: 1 })
  const hole = { offset: 20 * CHUNK, length: 10 * CHUNK }
  const bytes = new Uint8Array(image.bytes).fill(0, hole.offset, endOf(hole))
  const data = [
    { offset: 0, length: hole.offset },
    { offset: endOf(hole), length: bytes.byteLength - endOf(hole) },
  ]
  const punched = { bytes, data, changes: [hole] }
  const next = await backUpAndCompare(repository, { image: punched, base, seed: 2, witnessCount: 0 })
  assert.equal(objectOf(next).ledger.readBytes, 0)
  const unlisted = await backUpAndCompare(repository, {
    image: { ...punched, changes: [] },
    base,
    seed: 3,
    rotationRuns: 1,
  })
  assert.deepEqual(codesOf(unlisted), [DegradedCode.ChangeListRefuted])
})

test('a refuted list ends as a comparison, and the ledger says so', async () => {
  const repository = testRepository(new MemoryStore())
  const image = sampleImage(7, LEAF * 2 + 300)
  const base = await backUpAndCompare(repository, { image, seed: 1 })
  const changed = withChanges(image, { seed: 9, places: [1, 2, 500] })
  const stored = await backUpAndCompare(repository, {
    image: { ...changed, changes: rangesOf([1, 2]) },
    base,
    seed: 2,
    witnessCount: 1000,
  })
  const { ledger } = objectOf(stored)
  assert.deepEqual([ledger.requestedMode, ledger.doneMode], ['incremental', 'compared'])
  assert.equal(ledger.witnesses?.mismatchCount, 1)
  assert.equal(ledger.listedBytes, 2 * CHUNK)
  assert.deepEqual(codesOf(stored), [DegradedCode.ChangeListRefuted])
  assert.equal(ledger.readBytes, changed.bytes.byteLength)
})

test('the rotating share reads every chunk once in as many runs as were asked for', async () => {
  const repository = testRepository(new MemoryStore())
  const image = sampleImage(8, LEAF * 2 + 300)
  let base = await backUpAndCompare(repository, { image, seed: 1 })
  let readBytes = 0
  for (let run = 0; run < 5; run += 1) {
    base = await backUpInThread(repository, {
      image: { ...image, changes: [] },
      base,
      seed: 10 + run,
      witnessCount: 0,
      rotationRuns: 5,
    })
    readBytes += objectOf(base).ledger.readBytes
  }
  assert.equal(readBytes, image.bytes.byteLength)
  assert.equal(objectOf(base).ledger.rotationNext, 0)
})

const SIZES = [
  CHUNK - 1,
  CHUNK,
  CHUNK + 1,
  LEAF - 1,
  LEAF,
  LEAF + 1,
  LEAF + CHUNK,
  2 * LEAF,
  2 * LEAF + 10,
  5 * LEAF + 3 * CHUNK + 9,
]
for (const mode of ['compared', 'incremental'] as const) {
  test(`an image that grew or shrank is right, ${mode}, between all sizes around leaves`, async () => {
    let seed = 1
    const whole = sampleImage(11, Math.max(...SIZES))
    for (const before of SIZES) {
      const repository = testRepository(new MemoryStore())
      const base = await backUpInThread(repository, {
        image: { bytes: whole.bytes.subarray(0, before) },
        seed: (seed += 1),
      })
      for (const after of SIZES) {
        const bytes = whole.bytes.subarray(0, after)
        const image = mode === 'compared' ? { bytes } : { bytes, changes: [] }
        const stored = await backUpAndCompare(repository, { image, base, seed: (seed += 1) })
        const { ledger } = objectOf(stored)
        assert.equal(ledger.doneMode, mode, `from ${before} to ${after}`)
        assert.deepEqual(codesOf(stored), [])
        if (mode === 'incremental' && before === after) assert.equal(ledger.newChunkCount, 0)
        const lastShared = Math.floor((Math.min(before, after) - 1) / CHUNK) * CHUNK
        const most = after - lastShared + 16 * CHUNK
        if (mode === 'incremental') assert.ok(ledger.readBytes <= most, `from ${before} to ${after}`)
      }
    }
  })
}

test('an image that shrank into a hole, and one that grew by one, are right', async () => {
  const bytes = sampleImage(12, 2 * LEAF).bytes
  const hole = new Uint8Array(bytes).fill(0, LEAF - 5 * CHUNK)
  const data = [{ offset: 0, length: LEAF - 5 * CHUNK }]
  for (const size of [LEAF - CHUNK, LEAF, LEAF + 1, LEAF + 5 * CHUNK, 2 * LEAF, 2 * LEAF - 1]) {
    for (const changes of [undefined, [{ offset: LEAF - 5 * CHUNK, length: size - (LEAF - 5 * CHUNK) }]]) {
      const repository = testRepository(new MemoryStore())
      const base = await backUpAndCompare(repository, { image: { bytes }, seed: 1 })
      const image = { bytes: hole.subarray(0, size), data, ...(changes === undefined ? {} : { changes }) }
      const shrunk = await backUpAndCompare(repository, { image, base, seed: 2 })
      assert.deepEqual(codesOf(shrunk), [])
      const grown = {
        bytes: new Uint8Array(3 * LEAF),
        data: [],
        ...(changes === undefined ? {} : { changes: [{ offset: 0, length: 3 * LEAF }] }),
      }
      const zeros = await backUpAndCompare(repository, { image: grown, base: shrunk, seed: 3 })
      assert.deepEqual(objectOf(zeros).root, { nodeId: null, chunkCount: 0 })
    }
  }
})

test('an image of zeros stores no pack, whether it has holes or not', async () => {
  for (const data of [[], undefined]) {
    const repository = testRepository(new MemoryStore())
    const bytes = new Uint8Array(LEAF + 700)
    const image = data === undefined ? { bytes } : { bytes, data }
    const stored = await backUpAndCompare(repository, { image, seed: 1 })
    assert.deepEqual(objectOf(stored).root, { nodeId: null, chunkCount: 0 })
    assert.equal(objectOf(stored).ledger.zeroBytes, data === undefined ? bytes.byteLength : 0)
    assert.deepEqual(await listAll(repository.store, PACKS_PREFIX), [])
    assert.deepEqual(await listAll(repository.store, INDEX_PREFIX), [])
  }
})

test('a chunk that comes again in a run is stored once', async () => {
  const repository = testRepository(new MemoryStore())
  const { bytes: piece } = sampleImage(13, 64 * CHUNK)
  const bytes = new Uint8Array(LEAF * 2)
  for (let at = 0; at < bytes.byteLength; at += piece.byteLength) bytes.set(piece, at)
  const { ledger, root } = objectOf(await backUpAndCompare(repository, { image: { bytes }, seed: 1 }))
  const different = new Set(
    Array.from({ length: 64 }, (_, at) => piece.subarray(at * CHUNK, (at + 1) * CHUNK).toHex()),
  )
  different.delete('00'.repeat(CHUNK))
  assert.equal(ledger.newChunkCount, different.size)
  assert.equal(ledger.reusedChunkCount, root.chunkCount - different.size)
  using index = await openIndex(repository)
  assert.equal(index.loaded.local.entryCount, different.size + 2) // One leaf, twice in one inner node.
})

test('a cancelled run leaves an index of what it stored, and no writer; the next reuses it', async () => {
  const repository = testRepository(new MemoryStore())
  const cancellation = new AbortController()
  const reason = new Error('enough')
  const image = sampleImage(14, LEAF * 8)
  const cancelling = {
    ...image,
    beforeRead: (offset: number) => {
      if (offset >= LEAF * 4) cancellation.abort(reason)
    },
  }
  await assert.rejects(
    backUpInThread(repository, { image: cancelling, seed: 1, signal: cancellation.signal }),
    reason,
  )
  assert.deepEqual(await listAll(repository.store, WRITERS_PREFIX), [])
  assert.deepEqual((await listPoints(repository)).points, [])
  using index = await openIndex(repository)
  assert.deepEqual(index.loaded.unindexed, [])
  const packs = await listAll(repository.store, PACKS_PREFIX)
  assert.equal(index.loaded.local.packIds().size, packs.length)
  const { ledger, root } = objectOf(await backUpAndCompare(repository, { image, seed: 2 }))
  assert.ok(ledger.newChunkCount <= root.chunkCount * 0.6, `${ledger.newChunkCount} of ${root.chunkCount}`)
})

test('packs that no index names are adopted by the next run', async () => {
  const store = new MemoryStore()
  const repository = testRepository(store)
  const image = sampleImage(15, LEAF * 2)
  await backUpInThread(repository, { image, seed: 1 })
  for (const name of await listAll(store, INDEX_PREFIX)) await store.delete(name)
  const { ledger } = objectOf(await backUpAndCompare(repository, { image, seed: 2 }))
  assert.equal(ledger.newChunkCount, 0)
  using index = await openIndex(repository)
  assert.deepEqual(index.loaded.unindexed, [])
})

test('a damaged segment is made up for by the packs, and the point says so', async () => {
  const store = new MemoryStore()
  const repository = testRepository(store)
  const image = sampleImage(15, LEAF * 2)
  await backUpInThread(repository, { image, seed: 1 })
  for (const name of await listAll(store, INDEX_PREFIX)) {
    const bytes = await store.get(name, 2 ** 30)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    await store.replace(name, bytes)
  }
  const stored = await backUpAndCompare(repository, { image, seed: 2 })
  assert.equal(objectOf(stored).ledger.newChunkCount, 0)
  assert.deepEqual(codesOf(stored), [DegradedCode.IndexRebuilt])
})

test('two backups at once to one store are both right', async () => {
  const repository = testRepository(new MemoryStore())
  const images = [sampleImage(16, LEAF * 3), withChanges(sampleImage(16, LEAF * 3), { seed: 5, places: [7] })]
  const stored = await Promise.all(
    images.map((image, number) => backUpInThread(repository, { image, seed: 100 + number })),
  )
  for (const [number, one] of stored.entries()) {
    assert.deepEqual(Buffer.from(await readBack(repository, one)), Buffer.from(images[number]?.bytes ?? []))
  }
  assert.equal((await listPoints(repository)).points.length, 2)
})

for (const how of ['damaged', 'headless', 'missing', 'truncated'] as const) {
  test(`a base whose tree is ${how} is given up, and the new point is right`, async () => {
    for (const listed of [true, false]) {
      const store = new MemoryStore()
      const image = sampleImage(17, LEAF * 3)
      const base = await backUpAndCompare(testRepository(store), { image, seed: 1 })
      const repository = testRepository(store) // Another command: it remembers nothing.
      const name = await packOf(repository, objectOf(base).root.nodeId ?? '')
      const bytes = store.objects.get(name) ?? new Uint8Array(0)
      if (how === 'missing') store.objects.delete(name)
      if (how === 'headless') store.objects.set(name, bytes.slice().fill(0xaa, 0, 20))
      if (how === 'truncated') store.objects.set(name, bytes.slice(0, 70))
      if (how === 'damaged') store.objects.set(name, bytes.slice().fill(0xaa, 64, bytes.byteLength - 4096))
      const changed = withChanges(image, { seed: 5, places: [600] })
      const changes = listed ? { changes: rangesOf([600]) } : {}
      const stored = await backUpAndCompare(repository, { image: { ...changed, ...changes }, base, seed: 2 })
      assert.deepEqual(codesOf(stored), [DegradedCode.BaseUnusable])
      assert.equal(objectOf(stored).ledger.doneMode, 'full')
      const same = await backUpAndCompare(repository, { image: changed, base: stored, seed: 3 })
      assert.deepEqual(codesOf(same), [])
    }
  })
}

test('chunks of condemned packs are stored again, and every point reads the sound copy', async () => {
  const store = new MemoryStore()
  const repository = testRepository(store)
  const image = sampleImage(18, LEAF * 2)
  const base = await backUpAndCompare(repository, { image, seed: 1 })
  const packIds = (await listAll(store, PACKS_PREFIX)).map((name) => name.slice(-64))
  await condemnPacks(store, repository.sealing, { packIds, salt: new Uint8Array(32) })
  const healed = await backUpAndCompare(repository, { image, base, seed: 2 })
  assert.ok(objectOf(healed).ledger.newChunkCount > 0)
  for (const packId of packIds) store.objects.delete(packName(packId))
  for (const point of [base, healed]) {
    assert.deepEqual(Buffer.from(await readBack(repository, point)), Buffer.from(image.bytes))
  }
})

test('a chunk of a pack that is missing is stored again', async () => {
  const store = new MemoryStore()
  const repository = testRepository(store)
  const image = sampleImage(19, LEAF * 2)
  const base = await backUpAndCompare(repository, { image, seed: 1 })
  const nodes = await packOf(repository, objectOf(base).root.nodeId ?? '')
  for (const name of await listAll(store, PACKS_PREFIX)) if (name !== nodes) store.objects.delete(name)
  await backUpAndCompare(repository, { image, base, seed: 2 })
  await backUpAndCompare(repository, { image, seed: 3 })
})

function rangesOf(places: readonly number[]): Range[] {
  return places.map((place) => ({ offset: place * CHUNK, length: CHUNK }))
}

function codesOf(stored: StoredPoint): readonly string[] {
  return stored.point.ledger.degraded.map((one) => one.code)
}

async function packOf(repository: Repository, id: string): Promise<string> {
  using index = await openIndex(repository)
  const location = index.locator.locate(Uint8Array.fromHex(id))
  assert(location !== null)
  return packName(location.packId)
}
