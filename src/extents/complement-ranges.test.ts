import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRanges, collect, membership, rangesOf } from '../../test/extents/byte-model.ts'
import { complementRanges } from './complement-ranges.ts'

test('complementRanges() has the bytes of the image that are in no range', async () => {
  await fc.assert(
    fc.asyncProperty(anyRanges, fc.nat(100), async (ranges, sizeBytes) => {
      const expected = membership(ranges, sizeBytes).map((isIn) => !isIn)
      assert.deepEqual(await collect(complementRanges(ranges, { sizeBytes })), rangesOf(expected))
    }),
  )
})
