import assert from 'node:assert/strict'
import test from 'node:test'
import { drawShare } from './draw-share.ts'

const randomness = {
  below: (limit: number) => Math.floor(Math.random() * limit),
  bytes: () => new Uint8Array(),
}

test('drawShare() draws as many as the share says, none twice, and at least one', () => {
  const items = Array.from({ length: 101 }, (_, index) => index)
  for (const [share, count] of [
    [0.0001, 1],
    [0.02, 3],
    [0.5, 51],
    [0.999, 101],
    [1, 101],
  ] as const) {
    const drawn = drawShare(items, share, randomness)
    assert.equal(drawn.length, count)
    assert.equal(new Set(drawn).size, count)
    assert.ok(drawn.every((item) => items.includes(item)))
  }
})

test('drawShare() gives every item its chance', () => {
  const items = [0, 1, 2, 3, 4]
  const counts = [0, 0, 0, 0, 0]
  for (let run = 0; run < 5000; run += 1) {
    for (const item of drawShare(items, 0.4, randomness)) counts[item] = (counts[item] ?? 0) + 1
  }
  for (const count of counts) assert.ok(count > 1700 && count < 2300, counts.join())
})
