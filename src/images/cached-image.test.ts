import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import type { Range } from '../domain/range.ts'
import { bytesImage } from '../../test/support/bytes-image.ts'
import { roundsImage } from '../../test/support/rounds-image.ts'
import { cachedImage } from './cached-image.ts'
import { PageCache } from './page-cache.ts'
import { failingImage } from './failing-image.ts'
import { readBytes } from './read-bytes.ts'
import { sliceImage } from './slice-image.ts'

const BYTES = Uint8Array.from({ length: 100 }, (_, byte) => byte + 1)
const LIMITS = { pageBytes: 16, memoryBytes: 48 }

test('cachedImage() has the same bytes, whatever is read before and at once', async () => {
  const anyRead = fc.tuple(fc.nat(100), fc.nat(100))
  await fc.assert(
    fc.asyncProperty(fc.array(anyRead), fc.boolean(), async (reads, atOnce) => {
      const image = cachedImage(bytesImage(BYTES, { sectorSizeBytes: 16 }), new PageCache(LIMITS))
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
  const image = cachedImage(below, new PageCache(LIMITS))
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

test('cachedImage() asks for all pages of a read at once', async () => {
  const far = roundsImage(bytesImage(BYTES, { sectorSizeBytes: 16 }))
  const image = cachedImage(far.image, new PageCache({ pageBytes: 16, memoryBytes: 96 }))
  assert.deepEqual(await readBytes(image, 20, 60), BYTES.subarray(20, 80))
  assert.deepEqual(far.rounds(), [4])
})

test('cachedImage() says which read failed, and has its memory again, whatever it had asked for beside', async () => {
  const failing = failingImage(bytesImage(BYTES, { sectorSizeBytes: 16 }), { offset: 32, length: 32 })
  const image = cachedImage(failing, new PageCache(LIMITS))
  for (let attempt = 0; attempt < 10; attempt += 1)
    await assert.rejects(readBytes(image, 16, 64), { code: 'EIO' })
  assert.deepEqual(await readBytes(image, 0, 32), BYTES.subarray(0, 32))
  assert.deepEqual(await readBytes(image, 64, 36), BYTES.subarray(64))
})

test('cachedImage() reads whole pages of a long range at once, and keeps only those at its ends', async () => {
  const bytes = Uint8Array.from({ length: 400 * 1024 }, (_, byte) => byte % 251)
  const reads: Range[] = []
  const below = bytesImage(bytes, { sectorSizeBytes: 512, onRead: (range) => reads.push(range) })
  const image = cachedImage(below, new PageCache({ pageBytes: 4096, memoryBytes: 4096 * 4 }))
  const readsFor = async (offset: number, length: number): Promise<Range[]> => {
    reads.length = 0
    assert.deepEqual(await readBytes(image, offset, length), bytes.subarray(offset, offset + length))
    return [...reads]
  }
  const middle = pages(2, 47)
  assert.deepEqual(await readsFor(5000, 197_000), [pages(1, 1), middle, pages(49, 1)])
  assert.deepEqual(await readsFor(4096, 10), [])
  assert.deepEqual(await readsFor(49 * 4096, 10), [])
  assert.deepEqual(await readsFor(2 * 4096, 10), [pages(2, 1)])
  assert.deepEqual(await readsFor(middle.offset, middle.length), [middle])
  assert.deepEqual(await readsFor(0, bytes.byteLength), [{ offset: 0, length: bytes.byteLength }])
})

function pages(first: number, count: number): Range {
  return { offset: first * 4096, length: count * 4096 }
}

test('cachedImage() asks again for a page that could not be read', async () => {
  let isBroken = true
  const sound = bytesImage(BYTES, { sectorSizeBytes: 16 })
  const broken = failingImage(sound, { offset: 20, length: 1 })
  const image = cachedImage(
    { ...sound, readInto: (target, offset) => (isBroken ? broken : sound).readInto(target, offset) },
    new PageCache(LIMITS),
  )
  await assert.rejects(readBytes(image, 17, 1), { code: 'EIO' })
  assert.deepEqual(await readBytes(image, 40, 1), BYTES.subarray(40, 41))
  isBroken = false
  assert.deepEqual(await readBytes(image, 17, 1), BYTES.subarray(17, 18))
})

test('cachedImage() of several images on one cache has the bytes of each, and its limit is for all together', async () => {
  const cache = new PageCache(LIMITS)
  let readCount = 0
  const onRead = (): void => void (readCount += 1)
  const images = [1, 2].map((by) => {
    const bytes = BYTES.map((byte) => byte + by)
    return { bytes, image: cachedImage(bytesImage(bytes, { sectorSizeBytes: 16, onRead }), cache) }
  })
  for (const { bytes, image } of images) {
    assert.deepEqual(await readBytes(image, 0, 32), bytes.subarray(0, 32))
  }
  assert.equal(readCount, 4)
  const [first] = images
  assert.ok(first !== undefined)
  await readBytes(first.image, 16, 16) // The second page of the first image is one of the three that were used last.
  assert.equal(readCount, 4)
  await readBytes(first.image, 0, 16)
  assert.equal(readCount, 5)
})

test('cachedImage() keeps nothing of an image that is read through a cache, nor of what is made of it', () => {
  const image = cachedImage(bytesImage(BYTES, { sectorSizeBytes: 16 }), new PageCache(LIMITS))
  const part = sliceImage(image, { offset: 16, length: 32 })
  assert.equal(cachedImage(image), image)
  assert.equal(cachedImage(part), part)
  const bare = sliceImage(bytesImage(BYTES, { sectorSizeBytes: 16 }), { offset: 16, length: 32 })
  assert.notEqual(cachedImage(bare), bare)
})
