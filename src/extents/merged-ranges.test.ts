import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRangeList, membership, rangesOf } from '../../test/extents/byte-model.ts'
import { mergedRanges } from './merged-ranges.ts'

test('mergedRanges() has the same bytes in the fewest ranges', () => {
  fc.assert(
    fc.property(anyRangeList, (ranges) => {
      const given = structuredClone(ranges)
      assert.deepEqual(mergedRanges(ranges), rangesOf(membership([ranges], 64)))
      assert.deepEqual(ranges, given)
    }),
  )
})
