import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRanges, collect, membership, rangesOf, sizeOf } from '../../test/extents/byte-model.ts'
import { unionRanges } from './union-ranges.ts'

test('unionRanges() has the bytes that are in either', async () => {
  await fc.assert(
    fc.asyncProperty(anyRanges, anyRanges, async (first, second) => {
      const sizeBytes = Math.max(sizeOf(first), sizeOf(second))
      const inSecond = membership(second, sizeBytes)
      const expected = membership(first, sizeBytes).map((inFirst, byte) => inFirst || inSecond[byte] === true)
      assert.deepEqual(await collect(unionRanges(first, second)), rangesOf(expected))
    }),
  )
})
