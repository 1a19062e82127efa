import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyPartialMap, assertNormal, collect, ownership, sizeOf } from '../../test/extents/byte-model.ts'
import { sliceExtents } from './slice-extents.ts'

test('sliceExtents() is the map of the range, from 0', async () => {
  const anyRange = fc.record({ offset: fc.nat(60), length: fc.integer({ min: 1, max: 60 }) })
  await fc.assert(
    fc.asyncProperty(anyPartialMap, anyRange, async (map, range) => {
      const end = range.offset + range.length
      const slice = await collect(sliceExtents(map, range))
      const expected = ownership(map, Math.max(sizeOf(map), end)).slice(range.offset, end)
      assert.deepEqual(ownership([slice], range.length), expected)
      assertNormal(slice)
    }),
  )
})
