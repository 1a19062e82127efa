import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { BlockBitmap } from './block-bitmap.ts'

test('BlockBitmap gives back the blocks that were added, ascending', () => {
  const near = fc.nat(100)
  const runs = fc.array(
    fc.tuple(fc.constantFrom(0, 31, 524_200, 1_100_000), near, fc.integer({ min: 1, max: 90 })),
  )
  fc.assert(
    fc.property(runs, (added) => {
      const bitmap = new BlockBitmap(2_000_000)
      const expected = new Set<number>()
      for (const [base, offset, length] of added) {
        for (let block = base + offset; block < base + offset + length; block += 1) {
          assert.equal(bitmap.add(block), !expected.has(block))
          expected.add(block)
        }
      }
      const found = [...bitmap.runs()].flatMap(([begin, length]) =>
        Array.from({ length }, (_, i) => begin + i),
      )
      assert.deepEqual(
        found,
        [...expected].toSorted((a, b) => a - b),
      )
    }),
  )
})
