import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bytesImage } from '../../test/support/bytes-image.ts'
import { readBytes } from './read-bytes.ts'

const BYTES = Uint8Array.from({ length: 100 }, (_, byte) => byte + 1)

test('readBytes() gives the bytes, in memory of their own', async () => {
  const image = bytesImage(BYTES)
  const bytes = await readBytes(image, 90, 10)
  assert.deepEqual(bytes, BYTES.subarray(90))
  bytes.fill(0)
  assert.deepEqual(await readBytes(image, 90, 10), BYTES.subarray(90))
  assert.equal((await readBytes(image, 100, 0)).byteLength, 0)
})

test('readBytes() refuses every place that is not within the image', async () => {
  const image = bytesImage(BYTES)
  for (const offset of [91, 100, -1, 0.5, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 70]) {
    await assert.rejects(readBytes(image, offset, 10), {
      name: 'RangeError',
      message: `Cannot read 10 bytes at byte ${offset}: the image ends at byte 100`,
    })
  }
  await assert.rejects(readBytes(image, 0, 2 ** 40), { name: 'AssertionError' })
})
