import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import {
  anyPartialMap,
  anyRanges,
  assertNormal,
  collect,
  membership,
  ownership,
  sizeOf,
} from '../../test/extents/byte-model.ts'
import { restrictExtents } from './restrict-extents.ts'

test('restrictExtents() says the same about the ranges and nothing about the rest', async () => {
  await fc.assert(
    fc.asyncProperty(anyPartialMap, anyRanges, async (map, ranges) => {
      const sizeBytes = sizeOf(map)
      const members = membership(ranges, sizeBytes)
      const expected = ownership(map, sizeBytes).map((owner, byte) =>
        members[byte] === true ? owner : undefined,
      )
      const restricted = await collect(restrictExtents(map, ranges))
      assert.deepEqual(ownership([restricted], sizeBytes), expected)
      assertNormal(restricted)
    }),
  )
})
