import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { bytesImage } from '../../test/support/bytes-image.ts'
import { failingImage } from './failing-image.ts'
import { readBytes } from './read-bytes.ts'

const BYTES = Uint8Array.from({ length: 60 }, (_, byte) => byte + 1)

test('failingImage() fails exactly the reads that touch the bad place', async () => {
  const anyRange = fc.record({ offset: fc.nat(50), length: fc.integer({ min: 1, max: 10 }) })
  await fc.assert(
    fc.asyncProperty(anyRange, anyRange, async (bad, { offset, length }) => {
      const image = failingImage(bytesImage(BYTES), bad)
      const touches = Array.from({ length }, (_, byte) => offset + byte).some(
        (byte) => bad.offset <= byte && byte < bad.offset + bad.length,
      )
      const read = readBytes(image, offset, length)
      if (touches) await assert.rejects(read, { code: 'EIO' })
      else assert.deepEqual(await read, BYTES.subarray(offset, offset + length))
    }),
  )
})
