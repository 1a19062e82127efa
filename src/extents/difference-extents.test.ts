import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import {
  anyPartialMap,
  collect,
  membership,
  ownership,
  rangesOf,
  sizeOf,
} from '../../test/extents/byte-model.ts'
import { differenceExtents } from './difference-extents.ts'

test('differenceExtents() has the bytes about which two maps differ', async () => {
  await fc.assert(
    fc.asyncProperty(anyPartialMap, anyPartialMap, async (first, second) => {
      const sizeBytes = Math.max(sizeOf(first), sizeOf(second))
      const before = ownership(first, sizeBytes)
      const after = ownership(second, sizeBytes)
      const found = await collect(differenceExtents(first, second))
      const members = membership([found], sizeBytes)
      for (const [byte, isFound] of members.entries()) {
        // Inline runs differ as a whole; here their bytes are all the same, so that is no exception.
        const said = [before[byte], after[byte]]
        const differ = said[0] !== said[1]
        assert.equal(isFound, differ, `byte ${byte}: ${said.join(', ')}`)
      }
      assert.deepEqual(found, rangesOf(members))
    }),
  )
})

test('differenceExtents() of a map and itself is empty', async () => {
  await fc.assert(
    fc.asyncProperty(anyPartialMap, async (map) => {
      assert.deepEqual(await collect(differenceExtents(map, map)), [])
    }),
  )
})
