import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import type { Range } from '../domain/range.ts'
import { bytesImage } from '../../test/support/bytes-image.ts'
import { cachedImage } from './cached-image.ts'
import { failingImage } from './failing-image.ts'
import { readBytes } from './read-bytes.ts'

const BYTES = Uint8Array.from({ length: 100 }, (_, byte) => byte + 1)
const LIMITS = { pageBytes: 16, memoryBytes: 48 }

test('cachedImage() has the same bytes, whatever is read before and at once', async () => {
  const anyRead = fc.tuple(fc.nat(100), fc.nat(100))
  await fc.assert(
    fc.asyncProperty(fc.array(anyRead), fc.boolean(), async (reads, atOnce) => {
      const image = cachedImage(bytesImage(BYTES, { sectorSizeBytes: 16 }), LIMITS)
      const check = async ([start, end]: [number, number]): Promise<void> => {
        const length = Math.max(0, end - start)
        assert.deepEqual(await readBytes(image, start, length), BYTES.subarray(start, start + length))
      }
      if (atOnce) await Promise.all(reads.map(check))
      else for (const read of reads) await check(read)
    }),
  )
})

test('cachedImage() reads whole pages, keeps the ones used last, and no more than its limit', async () => {
  const reads: Range[] = []
  const below = bytesImage(BYTES, { sectorSizeBytes: 16, onRead: (range) => reads.push(range) })
  const image = cachedImage(below, LIMITS)
  const pagesReadFor = async (offset: number, length: number): Promise<number[]> => {
    reads.length = 0
    await readBytes(image, offset, length)
    return reads.map((range) => range.offset / 16)
  }
  assert.deepEqual(await pagesReadFor(10, 30), [0, 1, 2])
  assert.deepEqual(await pagesReadFor(0, 48), [])
  assert.deepEqual(await pagesReadFor(0, 1), [])
  assert.deepEqual(await pagesReadFor(99, 1), [6])
  assert.deepEqual(reads, [{ offset: 96, length: 4 }]) // The last page ends with the image.
  assert.deepEqual(await pagesReadFor(0, 1), [])
  assert.deepEqual(await pagesReadFor(16, 1), [1]) // The page used longest ago had to go.
})

test('cachedImage() asks again for a page that could not be read', async () => {
  let isBroken = true
  const sound = bytesImage(BYTES, { sectorSizeBytes: 16 })
  const broken = failingImage(sound, { offset: 20, length: 1 })
  const image = cachedImage(
    { ...sound, readInto: (target, offset) => (isBroken ? broken : sound).readInto(target, offset) },
    LIMITS,
  )
  await assert.rejects(readBytes(image, 17, 1), { code: 'EIO' })
  assert.deepEqual(await readBytes(image, 40, 1), BYTES.subarray(40, 41))
  isBroken = false
  assert.deepEqual(await readBytes(image, 17, 1), BYTES.subarray(17, 18))
})
