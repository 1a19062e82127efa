import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededStream, shuffled } from './seeded-stream.ts'

function drawn(seed: string): string {
  const stream = seededStream(seed)
  const bytes = Buffer.alloc(100_000)
  stream.fill(bytes)
  return `${bytes.toString('hex')} ${stream.below(1000)} ${stream.unit()}`
}

test('seededStream() gives the same bytes and numbers for the same seed, and others for another', () => {
  assert.equal(drawn('a'), drawn('a'))
  assert.notEqual(drawn('a'), drawn('b'))
})

test('seededStream() stays below its limit and reaches all of it', () => {
  const stream = seededStream('limit')
  const seen = new Set(Array.from({ length: 500 }, () => stream.below(7)))
  assert.deepEqual(seen, new Set([0, 1, 2, 3, 4, 5, 6]))
})

test('shuffled() keeps every item', () => {
  const items = Array.from({ length: 50 }, (_, index) => index)
  const result = shuffled(items, seededStream('shuffle'))
  assert.notDeepEqual(result, items)
  assert.deepEqual(
    result.toSorted((a, b) => a - b),
    items,
  )
})
