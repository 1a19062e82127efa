import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRanges, collect, membership, rangesOf, sizeOf } from '../../test/extents/byte-model.ts'
import { subtractRanges } from './subtract-ranges.ts'

test('subtractRanges() has the bytes that are in the first alone', async () => {
  await fc.assert(
    fc.asyncProperty(anyRanges, anyRanges, async (first, second) => {
      const sizeBytes = Math.max(sizeOf(first), sizeOf(second))
      const inSecond = membership(second, sizeBytes)
      const expected = membership(first, sizeBytes).map(
        (inFirst, byte) => inFirst && inSecond[byte] === false,
      )
      assert.deepEqual(await collect(subtractRanges(first, second)), rangesOf(expected))
    }),
  )
})
