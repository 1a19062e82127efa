import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, isBackupError } from '../../src/domain/backup-error.ts'
import { DegradedCode } from '../../src/domain/ledger.ts'
import { MemoryStore } from '../../src/stores/memory-store.ts'
import { CopiedOnWrite } from '../support/copied-on-write.ts'
import {
  backUpInThread,
  readBack,
  testRepository,
  TEST_CHUNK_SIZE,
  type MovingExtents,
} from '../support/in-thread-backup.ts'
import { sampleImage, withChanges } from '../support/sample-image.ts'
import { seededRandomness } from '../support/seeded-randomness.ts'

const CHUNK = TEST_CHUNK_SIZE
const LEAF = 256 * CHUNK
const SEEDS = 25

/** A snapshot whose origin is overwritten `writesPerRead` times before each read, at random places. */
async function underLoad(
  frozen: Uint8Array,
  load: { readonly seed: number; readonly writesPerRead: number },
): Promise<MovingExtents> {
  const snapshot = new CopiedOnWrite(frozen)
  const randomness = seededRandomness(load.seed)
  const write = (): void => {
    for (let count = 0; count < load.writesPerRead; count += 1)
      snapshot.overwrite(randomness.below(snapshot.pieceCount), randomness.below(256))
  }
  return {
    map: await snapshot.map(),
    laneOf: (map) => snapshot.lane(map, write),
    identify: () => snapshot.identify(),
  }
}

test('an image whose extents move while they are read is read right', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const repository = testRepository(new MemoryStore())
    const image = sampleImage(seed, 2 * LEAF + 7 * CHUNK)
    const moving = await underLoad(image.bytes, { seed, writesPerRead: 40 })
    const stored = await backUpInThread(repository, { image, seed, moving })
    assert.deepEqual(
      Buffer.from(await readBack(repository, stored)),
      Buffer.from(image.bytes),
      `seed ${seed}`,
    )
    const read = stored.point.objects[0]?.ledger.readBytes ?? 0
    assert.ok(read > image.bytes.byteLength, `seed ${seed}: nothing was read again`)
  }
})

test('a witness that was read where it lies no more does not refute a change list', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const repository = testRepository(new MemoryStore())
    const before = sampleImage(seed, LEAF)
    const base = await backUpInThread(repository, { image: before, seed })
    const image = {
      ...withChanges(before, { seed, places: [3] }),
      changes: [{ offset: 3 * CHUNK, length: 1 }],
    }
    const moving = await underLoad(image.bytes, { seed, writesPerRead: 200 })
    const stored = await backUpInThread(repository, {
      image,
      base,
      seed: seed + 1000,
      witnessCount: 64,
      moving,
    })
    assert.equal(stored.point.objects[0]?.ledger.doneMode, 'incremental', `seed ${seed}`)
    assert.deepEqual(Buffer.from(await readBack(repository, stored)), Buffer.from(image.bytes))
  }
})

test('a change list that is wrong is refuted though extents move', async () => {
  const repository = testRepository(new MemoryStore())
  const before = sampleImage(1, 40 * CHUNK)
  const base = await backUpInThread(repository, { image: before, seed: 1 })
  const image = {
    ...withChanges(before, { seed: 2, places: [3, 4] }),
    changes: [{ offset: 3 * CHUNK, length: 1 }],
  }
  const moving = await underLoad(image.bytes, { seed: 3, writesPerRead: 5 })
  const stored = await backUpInThread(repository, { image, base, seed: 2, witnessCount: 64, moving })
  assert.deepEqual(
    stored.point.ledger.degraded.map(({ code }) => code),
    [DegradedCode.ChangeListRefuted],
  )
  assert.deepEqual(Buffer.from(await readBack(repository, stored)), Buffer.from(image.bytes))
})

test('an image that never stands still is given up', async () => {
  const repository = testRepository(new MemoryStore())
  const image = sampleImage(1, 4 * CHUNK)
  const snapshot = new CopiedOnWrite(image.bytes)
  const map = await snapshot.map()
  const moving: MovingExtents = {
    map,
    laneOf: (now) => snapshot.lane(now, () => {}),
    identify: async () => ({ ranges: [{ offset: 0, length: CHUNK }], map: await snapshot.map() }),
  }
  await assert.rejects(backUpInThread(repository, { image, seed: 1, moving }), (error) =>
    isBackupError(error, ErrorCode.SourceChanged),
  )
})
