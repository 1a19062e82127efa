import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../domain/clock.ts'
import { addPlace, isPlaceIn, MASK_SIZE } from './leaf-mask.ts'
import { Pace } from './pace.ts'
import { pacedLanes } from './paced-lanes.ts'
import type { SealJob, SealLanes } from './seal-lanes.ts'

const CHUNK = 1024 * 1024
const { signal } = new AbortController()

/** Finds the place itself as the chunk, and zeros at every third. */
function lanesOf(asked: SealJob[]): SealLanes {
  return {
    count: 1,
    seal: (job) => {
      asked.push(job)
      const set = new Uint8Array(MASK_SIZE)
      const ids = new Uint8Array(256 * 32).fill(0xaa)
      let readBytes = 0
      for (let place = 0; place < 256; place += 1) {
        if (!isPlaceIn(job.read, place)) continue
        readBytes += CHUNK
        if (place % 3 === 0) continue
        addPlace(set, place)
        ids.fill(place, place * 32, place * 32 + 32)
      }
      return Promise.resolve({ set, ids, readBytes, zeroBytes: 7, newChunkCount: 1, reusedChunkCount: 2 })
    },
    remap: () => Promise.resolve(),
    drain: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

test('pacedLanes() reads a leaf in steps, and finds the same as in one', async () => {
  const read = new Uint8Array(MASK_SIZE)
  for (let place = 5; place < 40; place += 2) addPlace(read, place)
  const job = { source: 0, leafIndex: 0, read, base: null }
  const steps: SealJob[] = []
  const pace = new Pace({
    clock: systemClock,
    sleep: () => Promise.resolve(),
    rateBytes: null,
    waitMsAt: null,
    latency: null,
    notice: () => {},
  })
  const paced = pacedLanes(lanesOf(steps), { pace, chunkSizeBytes: CHUNK, signal })
  const found = await paced.seal(job)
  const whole = await lanesOf([]).seal(job)
  assert.deepEqual(found.set, whole.set)
  for (let place = 0; place < 256; place += 1) {
    const at = place * 32
    if (isPlaceIn(whole.set, place))
      assert.deepEqual(found.ids.subarray(at, at + 32), whole.ids.subarray(at, at + 32))
  }
  assert.equal(found.readBytes, whole.readBytes)
  assert.equal(steps.length, 5)
  assert.deepEqual([found.zeroBytes, found.newChunkCount, found.reusedChunkCount], [35, 5, 10])
})
