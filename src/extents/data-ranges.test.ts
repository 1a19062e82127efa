import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyPartialMap, collect, ownership, rangesOf, sizeOf } from '../../test/extents/byte-model.ts'
import { dataRanges } from './data-ranges.ts'

test('dataRanges() has the bytes that the map does not call zero', async () => {
  await fc.assert(
    fc.asyncProperty(anyPartialMap, async (map) => {
      const expected = ownership(map, sizeOf(map)).map((owner) => owner !== undefined && owner !== 'zero')
      assert.deepEqual(await collect(dataRanges(map)), rangesOf(expected))
    }),
  )
})
