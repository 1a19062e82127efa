import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { failingStore } from '../../test/support/failing-store.ts'
import { testRepository, TEST_CHUNK_SIZE } from '../../test/support/in-thread-backup.ts'
import { sampleImage } from '../../test/support/sample-image.ts'
import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { addPlace, countPlaces, isPlaceIn, MASK_SIZE } from '../mover/leaf-mask.ts'
import type { SealJob, SealOutcome, StoredPack } from '../mover/seal-lanes.ts'
import { KnownChunks } from '../repository/known-chunks.ts'
import { packName } from '../repository/object-names.ts'
import type { Store } from '../repository/store.ts'
import { PLACES } from '../repository/tree-node.ts'
import { MemoryStore } from '../stores/memory-store.ts'
import { SealLane, type LaneSource } from './seal-lane.ts'

const ALL = new Uint8Array(MASK_SIZE).fill(0xff)
const LEAF = PLACES * TEST_CHUNK_SIZE
/** What design.md allows a lane: four reads and two packs. */
const BUFFERS_MAX = 6

function laneOf(source: LaneSource, store: Store = new MemoryStore()) {
  const { sealing, codec, config } = testRepository(store)
  const randomness = seededRandomness(1)
  const packs: StoredPack[] = []
  let bufferCount = 0
  const lane = new SealLane({
    store,
    sealing,
    codec,
    compress: true,
    chunkSizeBytes: config.chunkSizeBytes,
    packSizeBytes: config.packSizeBytes,
    known: new KnownChunks(KnownChunks.allocate(100_000)),
    index: { locate: () => null, isReusable: () => true, hasCondemned: false },
    sources: [source],
    allocate: (bytes) => {
      bufferCount += 1
      return new Uint8Array(bytes).fill(0xdd)
    },
    randomSalt: () => randomness.bytes(32),
    onPack: (pack) => packs.push(pack),
  })
  return { lane, packs, codec, buffers: () => bufferCount }
}

function sourceOf(
  bytes: Uint8Array,
  before: (offset: number) => Promise<void> = () => Promise.resolve(),
): LaneSource {
  return {
    sizeBytes: bytes.byteLength,
    async readInto(target, offset) {
      await before(offset)
      target.set(bytes.subarray(offset, offset + target.byteLength))
    },
  }
}

const jobFor = (leafIndex: number, read = ALL): SealJob => ({ source: 0, leafIndex, read, base: null })

/** Every place of the outcome holds the id of the image's chunk there. */
function requireIds(
  outcome: SealOutcome,
  job: SealJob,
  from: { bytes: Uint8Array; lane: ReturnType<typeof laneOf> },
): void {
  const id = new Uint8Array(32)
  for (let place = 0; place < PLACES; place += 1) {
    const offset = job.leafIndex * LEAF + place * TEST_CHUNK_SIZE
    const chunk = new Uint8Array(TEST_CHUNK_SIZE)
    chunk.set(from.bytes.subarray(offset, offset + TEST_CHUNK_SIZE))
    const isStored = isPlaceIn(job.read, place) && chunk.some((byte) => byte !== 0)
    assert.equal(isPlaceIn(outcome.set, place), isStored, `place ${place}`)
    if (!isStored) continue
    from.lane.codec.chunkId(chunk, id)
    assert.deepEqual(Buffer.from(outcome.ids.subarray(place * 32, place * 32 + 32)), Buffer.from(id))
  }
}

test('SealLane does many jobs at once, in the order in which they came, whatever the reads take', async () => {
  const { bytes } = sampleImage(1, 4 * LEAF + 777)
  const lane = laneOf(sourceOf(bytes, (offset) => sleep((offset / 1024) % 3)))
  const some = new Uint8Array(MASK_SIZE)
  for (const place of [0, 1, 7, 100, 255]) addPlace(some, place)
  const jobs = [jobFor(0), jobFor(2, some), jobFor(3), jobFor(4)]
  const ended: number[] = []
  const outcomes = await Promise.all(
    jobs.map(async (job, number) => {
      const outcome = await lane.lane.seal(job)
      ended.push(number)
      return outcome
    }),
  )
  assert.deepEqual(ended, [0, 1, 2, 3])
  for (const [number, job] of jobs.entries()) {
    const outcome = outcomes[number]
    assert(outcome !== undefined)
    requireIds(outcome, job, { bytes, lane })
    const length = bytes.byteLength - job.leafIndex * LEAF
    assert.equal(outcome.readBytes, Math.min(countPlaces(job.read) * TEST_CHUNK_SIZE, length))
  }
  await lane.lane.drain()
  const stored = outcomes.reduce((sum, outcome) => sum + outcome.newChunkCount, 0)
  assert.equal(
    lane.packs.reduce((sum, pack) => sum + pack.directory.byteLength / 44, 0),
    stored,
  )
})

test('SealLane has its memory from the beginning, and no more reads under way than fit into it', async () => {
  let reading = 0
  let readingBytes = 0
  let most = 0
  let mostBytes = 0
  const { bytes } = sampleImage(2, 8 * LEAF)
  const lane = laneOf({
    sizeBytes: bytes.byteLength,
    async readInto(target, offset) {
      reading += 1
      readingBytes += target.byteLength
      most = Math.max(most, reading)
      mostBytes = Math.max(mostBytes, readingBytes)
      await sleep(1)
      target.set(bytes.subarray(offset, offset + target.byteLength))
      reading -= 1
      readingBytes -= target.byteLength
    },
  })
  assert.ok(lane.buffers() <= BUFFERS_MAX)
  await Promise.all(Array.from({ length: 8 }, (_, leafIndex) => lane.lane.seal(jobFor(leafIndex))))
  await lane.lane.drain()
  assert.ok(most > 4, `${most} reads at once`)
  assert.ok(mostBytes <= 4 * 1024 * 1024, `${mostBytes} bytes at once`)
  assert.ok(lane.buffers() <= BUFFERS_MAX)
})

test('SealLane says what a read failed with, and does the other jobs, however often that happens', async () => {
  const { bytes } = sampleImage(3, 12 * LEAF)
  const failure = new BackupError(ErrorCode.SourceReadFailed, 'Cannot read')
  const lane = laneOf(
    sourceOf(bytes, (offset) =>
      Math.floor(offset / LEAF) % 2 === 1 ? Promise.reject(failure) : Promise.resolve(),
    ),
  )
  const jobs = Array.from({ length: 12 }, (_, leafIndex) => jobFor(leafIndex))
  const results = await Promise.allSettled(jobs.map((job) => lane.lane.seal(job)))
  for (const [leafIndex, result] of results.entries()) {
    if (leafIndex % 2 === 1) assert.ok(result.status === 'rejected' && result.reason === failure)
    else assert.equal(result.status, 'fulfilled')
  }
  await lane.lane.drain()
  assert.ok(lane.packs.length > 0)
})

test('SealLane announces a pack when it is in the store, its name durable', async () => {
  const inner = new MemoryStore()
  const unflushed = new Set<string>()
  const store: Store = {
    ...failingStore(inner, { kind: 'failed', failingAt: -1 }),
    async put(name, bytes) {
      await sleep(1)
      await inner.put(name, bytes)
      unflushed.add(name)
    },
    async flush() {
      await sleep(1)
      unflushed.clear()
    },
  }
  const lane = laneOf(sourceOf(sampleImage(4, 2 * LEAF).bytes), store)
  const announced = lane.packs.push.bind(lane.packs)
  lane.packs.push = (...packs) => {
    for (const pack of packs) {
      assert.ok(inner.objects.has(packName(pack.packId)) && !unflushed.has(packName(pack.packId)))
      assert.equal(inner.objects.get(packName(pack.packId))?.byteLength, pack.sizeBytes)
    }
    return announced(...packs)
  }
  await Promise.all([lane.lane.seal(jobFor(0)), lane.lane.seal(jobFor(1))])
  await lane.lane.drain()
  assert.equal(lane.packs.length, inner.objects.size)
})

test('SealLane says what the store failed with, at the next chunk or when it is drained, and never hangs', async () => {
  for (const failingAt of [0, 1, 2, 3, 5]) {
    const store = failingStore(new MemoryStore(), { kind: 'full', failingAt })
    const lane = laneOf(sourceOf(sampleImage(5, 6 * LEAF).bytes), store)
    const full = { code: ErrorCode.StoreFull }
    const jobs = Array.from({ length: 6 }, (_, leafIndex) => lane.lane.seal(jobFor(leafIndex)))
    const results = await Promise.allSettled(jobs)
    await assert.rejects(lane.lane.drain(), full)
    for (const result of results) {
      if (result.status === 'rejected') assert.equal(result.reason.code, ErrorCode.StoreFull)
    }
    await assert.rejects(lane.lane.drain(), full)
  }
})

test('SealLane refuses a source that it does not have', async () => {
  const { lane } = laneOf(sourceOf(new Uint8Array(5)))
  await assert.rejects(lane.seal({ ...jobFor(0), source: 1 }), RangeError)
  await lane.drain()
})
