import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyMap, assertNormal, collect, ownership, sizeOf } from '../../test/extents/byte-model.ts'
import type { Extent } from '../domain/extent.ts'
import { normaliseExtents } from './normalise-extents.ts'

test('normaliseExtents() says the same in the fewest extents', async () => {
  await fc.assert(
    fc.asyncProperty(anyMap, async (map) => {
      const sizeBytes = sizeOf(map)
      const normal = await collect(normaliseExtents(map, { endOffset: sizeBytes }))
      assert.deepEqual(ownership([normal], sizeBytes), ownership(map, sizeBytes))
      assertNormal(normal)
    }),
  )
})

function zero(offset: number, length: number): Extent {
  return { kind: 'zero', offset, length }
}

test('normaliseExtents() refuses maps that do not cover exactly what they should', async () => {
  await assert.rejects(collect(normaliseExtents([[zero(0, 4), zero(5, 5)]], { endOffset: 10 })), {
    name: 'RangeError',
    message:
      'Cannot take extent 5+5: map is known up to 4, expected an extent from there on that ends at most at 10',
  })
  await assert.rejects(collect(normaliseExtents([[zero(0, 4)]], { endOffset: 10 })), {
    name: 'RangeError',
    message: 'Cannot take map: it ends at 4, expected 10',
  })
  await assert.rejects(collect(normaliseExtents([[zero(0, 11)]], { endOffset: 10 })), RangeError)
  await assert.rejects(collect(normaliseExtents([[zero(0, 5), zero(4, 6)]], { endOffset: 10 })), RangeError)
  const part = await collect(normaliseExtents([[zero(4, 6)]], { startOffset: 4, endOffset: 10 }))
  assert.deepEqual(part, [zero(4, 6)])
})
