import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRanges, membership, sizeOf } from '../../test/extents/byte-model.ts'
import { measureRanges } from './measure-ranges.ts'

test('measureRanges() counts ranges and bytes', async () => {
  await fc.assert(
    fc.asyncProperty(anyRanges, async (ranges) => {
      const lengthBytes = membership(ranges, sizeOf(ranges)).filter(Boolean).length
      assert.deepEqual(await measureRanges(ranges), { count: ranges.flat().length, lengthBytes })
    }),
  )
})
