import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRangeList, membership, rangesOf } from '../../test/extents/byte-model.ts'
import { gapsBetween } from './gaps-between.ts'

test('gapsBetween() has every byte between two places that no range covers', () => {
  fc.assert(
    fc.property(anyRangeList, fc.nat(64), fc.nat(64), (ranges, begin, end) => {
      const isGap = membership([ranges], 64).map((covered, byte) => !covered && byte >= begin && byte < end)
      assert.deepEqual(gapsBetween(ranges, { begin, end }), rangesOf(isGap))
    }),
  )
})
