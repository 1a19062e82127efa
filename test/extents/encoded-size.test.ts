import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Extent } from '../../src/domain/extent.ts'
import { encodeExtents } from '../../src/extents/encode.ts'
import { fragments } from './fragments.ts'

const COUNT = 1_200_000

async function encodedSizeBytes(map: Iterable<readonly Extent[]>): Promise<number> {
  let sizeBytes = 0
  for await (const piece of encodeExtents(map, { sizeBytes: 2 ** 50, deviceCount: 1 })) {
    sizeBytes += piece.byteLength
  }
  return sizeBytes
}

test('encodeExtents() needs at most 12 MB for 1.2 million scattered fragments', async (context) => {
  const plain = await encodedSizeBytes(fragments({ count: COUNT, holes: false }))
  const holes = await encodedSizeBytes(fragments({ count: COUNT, holes: true }))
  context.diagnostic(`without holes ${plain} bytes, with a hole before each ${holes} bytes`)
  assert(plain <= 12_000_000)
  assert(holes <= 12_000_000)
})
