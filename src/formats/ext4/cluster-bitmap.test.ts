import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { countSet, setBits, visitSetRuns } from './cluster-bitmap.ts'

const WORD_COUNT = 6
const anyWord = fc.oneof(fc.constantFrom(0, 0xffffffff, 1, 0x80000000, 0x55555555), fc.nat(0xffffffff))
const anyBitmap = fc.record({
  words: fc.array(anyWord, { minLength: WORD_COUNT, maxLength: WORD_COUNT }),
  bitCount: fc.integer({ min: 1, max: 32 * WORD_COUNT }),
})

function bitsOf(words: readonly number[] | Uint32Array): boolean[] {
  return Array.from(
    { length: 32 * words.length },
    (_, bit) => (((words[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1,
  )
}

test('visitSetRuns() gives the longest runs of set bits', () => {
  fc.assert(
    fc.property(anyBitmap, ({ words, bitCount }) => {
      const found = Array.from({ length: bitCount }, () => false)
      let last = -1
      visitSetRuns(Uint32Array.from(words), bitCount, (start, end) => {
        assert(start > last && end > start)
        last = end
        found.fill(true, start, end)
      })
      assert.deepEqual(found, bitsOf(words).slice(0, bitCount))
    }),
  )
})

test('countSet() counts the bits within the count', () => {
  fc.assert(
    fc.property(anyBitmap, ({ words, bitCount }) => {
      const expected = bitsOf(words).slice(0, bitCount).filter(Boolean).length
      assert.equal(countSet(Uint32Array.from(words), bitCount), expected)
    }),
  )
})

test('setBits() sets a run and says how many were not set', () => {
  fc.assert(
    fc.property(anyBitmap, fc.nat(32 * WORD_COUNT - 1), ({ words, bitCount }, from) => {
      const end = Math.min(32 * WORD_COUNT, from + bitCount)
      const bitmap = Uint32Array.from(words)
      const before = bitsOf(bitmap)
      const expected = before.map((bit, index) => bit || (index >= from && index < end))
      const added = setBits(bitmap, { block: from, count: end - from })
      assert.deepEqual(bitsOf(bitmap), expected)
      assert.equal(added, expected.filter(Boolean).length - before.filter(Boolean).length)
    }),
  )
})
