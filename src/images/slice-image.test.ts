import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { collect } from '../../test/extents/byte-model.ts'
import { bytesImage } from '../../test/support/bytes-image.ts'
import { readBytes } from './read-bytes.ts'
import { sliceImage } from './slice-image.ts'

const SIGNAL = new AbortController().signal
const BYTES = Uint8Array.from({ length: 100 }, (_, byte) => byte + 1)

/** A range within `sizeBytes`, of at least one byte. */
function anyPart(sizeBytes: number): fc.Arbitrary<{ offset: number; length: number }> {
  return fc
    .tuple(fc.nat(sizeBytes - 1), fc.integer({ min: 1, max: sizeBytes }))
    .map(([offset, length]) => ({ offset, length: Math.min(length, sizeBytes - offset) }))
}

test('sliceImage() is the part as an image', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyPart(100).chain((part) => fc.tuple(fc.constant(part), anyPart(part.length))),
      async ([part, inner]) => {
        const slice = sliceImage(bytesImage(BYTES, { sectorSizeBytes: 4096 }), part)
        assert.equal(slice.sizeBytes, part.length)
        assert.equal(slice.sectorSizeBytes, 4096)
        const start = part.offset + inner.offset
        assert.deepEqual(
          await readBytes(slice, inner.offset, inner.length),
          BYTES.subarray(start, start + inner.length),
        )
        assert.deepEqual(await collect(slice.extents(inner, SIGNAL)), [
          { kind: 'data', ...inner, device: 0, physicalOffset: start },
        ])
      },
    ),
  )
})

test('sliceImage() lets nobody read beyond the part', async () => {
  const slice = sliceImage(bytesImage(BYTES), { offset: 10, length: 20 })
  assert.throws(() => slice.readInto(new Uint8Array(2), 19), { name: 'AssertionError' })
  assert.throws(() => slice.readInto(new Uint8Array(2), -1), { name: 'AssertionError' })
  assert.throws(() => slice.extents({ offset: 10, length: 11 }, SIGNAL), { name: 'AssertionError' })
  assert.throws(() => sliceImage(bytesImage(BYTES), { offset: 90, length: 11 }), { name: 'AssertionError' })
  await assert.rejects(readBytes(slice, 19, 2), {
    name: 'RangeError',
    message: 'Cannot read 2 bytes at byte 19: the image ends at byte 20',
  })
})
