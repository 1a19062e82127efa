import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyPartialMap, collect, ownership, sizeOf } from '../../test/extents/byte-model.ts'
import { alignExtents } from './align-extents.ts'

test('alignExtents() says the same, in extents within one chunk or of whole chunks', async () => {
  await fc.assert(
    fc.asyncProperty(anyPartialMap, fc.integer({ min: 1, max: 8 }), async (map, chunkSizeBytes) => {
      const sizeBytes = sizeOf(map)
      const aligned = await collect(alignExtents(map, { chunkSizeBytes }))
      assert.deepEqual(ownership([aligned], sizeBytes), ownership(map, sizeBytes))
      assert(aligned.length <= 3 * map.flat().length)
      for (const { offset, length } of aligned) {
        const isWhole = offset % chunkSizeBytes === 0 && length % chunkSizeBytes === 0
        assert(isWhole || (offset % chunkSizeBytes) + length <= chunkSizeBytes)
      }
    }),
  )
})
