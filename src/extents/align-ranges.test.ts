import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRanges, collect, membership, rangesOf } from '../../test/extents/byte-model.ts'
import { alignRanges } from './align-ranges.ts'

test('alignRanges() has every chunk that a range touches, up to the end of the image', async () => {
  const anyChunkSize = fc.integer({ min: 1, max: 12 })
  await fc.assert(
    fc.asyncProperty(anyRanges, anyChunkSize, fc.nat(120), async (ranges, chunkSizeBytes, sizeBytes) => {
      const members = membership(ranges, sizeBytes + chunkSizeBytes)
      const expected = Array.from({ length: sizeBytes }, (_, byte) => {
        const start = byte - (byte % chunkSizeBytes)
        return members.slice(start, start + chunkSizeBytes).includes(true)
      })
      const aligned = await collect(alignRanges(ranges, { chunkSizeBytes, sizeBytes }))
      assert.deepEqual(aligned, rangesOf(expected))
    }),
  )
})
