import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DegradedCode } from '../../src/domain/ledger.ts'
import type { Range } from '../../src/domain/range.ts'
import { missProbability } from '../../src/mover/witnesses.ts'
import { MemoryStore } from '../../src/stores/memory-store.ts'
import { backUpInThread, readBack, testRepository, TEST_CHUNK_SIZE } from '../support/in-thread-backup.ts'
import { sampleImage, withChanges } from '../support/sample-image.ts'

const SEED_COUNT = 200
const SIGMAS = 4
const CHUNK_COUNT = 64

function rangesOf(places: readonly number[]): readonly Range[] {
  return places.map((place) => ({ offset: place * TEST_CHUNK_SIZE, length: TEST_CHUNK_SIZE }))
}

/** What a difference of thin volumes says when it is asked about the wrong pair: exact, and of something else. */
const FAULTS = [
  // The base is of a later moment than the point: what changed between the two is in neither list.
  { name: 'a base of a later moment', sincePoint: [7, 30, 31], sinceBase: [12, 40], listed: [12, 40] },
  // Another volume of the pool, cloned from the same template, changed elsewhere.
  { name: 'the base of another volume', sincePoint: [3, 4, 5, 6, 33], sinceBase: [], listed: [20, 21, 55] },
] as const

for (const { name, sincePoint, sinceBase, listed } of FAULTS) {
  test(`a list made from ${name} is found out as often as the formula says`, async () => {
    const store = new MemoryStore()
    const image = sampleImage(1, CHUNK_COUNT * TEST_CHUNK_SIZE)
    const base = await backUpInThread(testRepository(store), { image, seed: 1 })
    const changed = withChanges(image, { seed: 2, places: [...sincePoint, ...sinceBase] })
    const witnessCount = 10
    let foundCount = 0
    for (let seed = 2000; seed < 2000 + SEED_COUNT; seed += 1) {
      const copy = new MemoryStore()
      for (const [object, bytes] of store.objects) copy.objects.set(object, bytes)
      const repository = testRepository(copy)
      const stored = await backUpInThread(repository, {
        image: { ...changed, changes: rangesOf(listed) },
        base,
        seed,
        witnessCount,
      })
      const codes = stored.point.ledger.degraded.map(({ code }) => code)
      if (codes.length === 0) continue
      foundCount += 1
      assert.deepEqual(codes, [DegradedCode.ChangeListRefuted])
      assert.deepEqual(Buffer.from(await readBack(repository, stored)), Buffer.from(changed.bytes))
    }
    const candidateCount = CHUNK_COUNT - listed.length
    const lostCount = sincePoint.length
    const expected = 1 - missProbability({ candidateCount, witnessCount, lostCount })
    const sigma = Math.sqrt(SEED_COUNT * expected * (1 - expected))
    const distance = Math.abs(foundCount - SEED_COUNT * expected)
    assert.ok(distance <= SIGMAS * sigma, `found ${foundCount} of ${SEED_COUNT}, expected share ${expected}`)
  })
}
