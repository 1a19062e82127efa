import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bridgeGaps } from './bridge-gaps.ts'

const ranges = [0, 10, 30, 200, 1000].map((offset) => ({ offset, length: 5 }))

test('bridgeGaps() leaves ranges alone that are few enough', () => {
  assert.equal(bridgeGaps(ranges, { countMax: 5, gapBytes: 1 }), ranges)
})

test('bridgeGaps() bridges the small gaps first, and no more of them than it must', () => {
  assert.deepEqual(bridgeGaps(ranges, { countMax: 4, gapBytes: 4 }), [
    { offset: 0, length: 35 },
    { offset: 200, length: 5 },
    { offset: 1000, length: 5 },
  ])
  assert.deepEqual(bridgeGaps(ranges, { countMax: 1, gapBytes: 4 }), [{ offset: 0, length: 1005 }])
})
