import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRanges, collect, membership, rangesOf, sizeOf } from '../../test/extents/byte-model.ts'
import { normaliseRanges } from './normalise-ranges.ts'

test('normaliseRanges() has the same bytes in the fewest ranges', async () => {
  await fc.assert(
    fc.asyncProperty(anyRanges, async (ranges) => {
      const expected = rangesOf(membership(ranges, sizeOf(ranges)))
      assert.deepEqual(await collect(normaliseRanges(ranges)), expected)
    }),
  )
})

test('normaliseRanges() refuses disorder, overlap, empty ranges and unsafe numbers', async () => {
  const refused = [
    [
      { offset: 5, length: 5 },
      { offset: 9, length: 1 },
    ],
    [
      { offset: 5, length: 5 },
      { offset: 0, length: 1 },
    ],
    [{ offset: 5, length: 0 }],
    [{ offset: -1, length: 5 }],
    [{ offset: 1, length: 2 ** 53 - 1 }],
    [{ offset: Number.NaN, length: 1 }],
    [{ offset: 0.5, length: 1 }],
  ]
  for (const ranges of refused) {
    // Also when the border of two batches lies between them.
    for (const batches of [[ranges], ranges.map((range) => [range])]) {
      await assert.rejects(collect(normaliseRanges(batches)), RangeError)
    }
  }
  await assert.rejects(collect(normaliseRanges([[{ offset: 5, length: 5 }], [{ offset: 9, length: 1 }]])), {
    message:
      'Cannot take 9+1: found after 10, expected ascending ranges that do not overlap and are not empty',
  })
})

test('normaliseRanges() yields batches of 4096', async () => {
  const ranges = Array.from({ length: 10_000 }, (_, index) => ({ offset: 2 * index, length: 1 }))
  const lengths: number[] = []
  for await (const batch of normaliseRanges([ranges])) lengths.push(batch.length)
  assert.deepEqual(lengths, [4096, 4096, 1808])
})
