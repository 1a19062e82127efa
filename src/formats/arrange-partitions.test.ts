import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRangeList } from '../../test/extents/byte-model.ts'
import { overlappingRanges } from './arrange-partitions.ts'

test('overlappingRanges() has those that share a byte with another one', () => {
  fc.assert(
    fc.property(anyRangeList, (ranges) => {
      const expected = ranges.filter((range) =>
        ranges.some(
          (other) =>
            other !== range &&
            range.offset < other.offset + other.length &&
            other.offset < range.offset + range.length,
        ),
      )
      assert.deepEqual(
        ranges.filter((range) => overlappingRanges(ranges).has(range)),
        expected,
      )
    }),
  )
})
