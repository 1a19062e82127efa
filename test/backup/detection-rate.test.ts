import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DegradedCode } from '../../src/domain/ledger.ts'
import { missProbability } from '../../src/mover/witnesses.ts'
import { MemoryStore } from '../../src/stores/memory-store.ts'
import { backUpInThread, readBack, testRepository, TEST_CHUNK_SIZE } from '../support/in-thread-backup.ts'
import { sampleImage, withChanges } from '../support/sample-image.ts'

const SEED_COUNT = 300
const SIGMAS = 4
const CHUNK_COUNT = 64

for (const { witnessCount, lost } of [
  { witnessCount: 12, lost: [40] },
  { witnessCount: 12, lost: [40, 41, 42] },
  { witnessCount: 2, lost: [63] },
]) {
  test(`a list that lost ${lost.length} chunks is found out by ${witnessCount} witnesses as often as the formula says`, async () => {
    const store = new MemoryStore()
    const image = sampleImage(1, CHUNK_COUNT * TEST_CHUNK_SIZE)
    const base = await backUpInThread(testRepository(store), { image, seed: 1 })
    const listed = [5, 6, 20]
    const changed = withChanges(image, { seed: 2, places: [...listed, ...lost] })
    const changes = listed.map((place) => ({ offset: place * TEST_CHUNK_SIZE, length: TEST_CHUNK_SIZE }))
    let foundCount = 0
    for (let seed = 1000; seed < 1000 + SEED_COUNT; seed += 1) {
      const copy = new MemoryStore()
      for (const [name, bytes] of store.objects) copy.objects.set(name, bytes)
      const repository = testRepository(copy)
      const stored = await backUpInThread(repository, {
        image: { ...changed, changes },
        base,
        seed,
        witnessCount,
      })
      const codes = stored.point.ledger.degraded.map((one) => one.code)
      if (codes.length === 0) continue
      foundCount += 1
      assert.deepEqual(codes, [DegradedCode.ChangeListRefuted])
      assert.deepEqual(Buffer.from(await readBack(repository, stored)), Buffer.from(changed.bytes))
    }
    const candidateCount = CHUNK_COUNT - listed.length
    const expected = 1 - missProbability({ candidateCount, witnessCount, lostCount: lost.length })
    const sigma = Math.sqrt(SEED_COUNT * expected * (1 - expected))
    const distance = Math.abs(foundCount - SEED_COUNT * expected)
    assert.ok(distance <= SIGMAS * sigma, `found ${foundCount} of ${SEED_COUNT}, expected share ${expected}`)
  })
}
