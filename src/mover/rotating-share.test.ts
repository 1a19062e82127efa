import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { endOf, type Range } from '../domain/range.ts'
import { treeShape } from '../repository/tree-shape.ts'
import { rotatingShare, type RotatingShare } from './rotating-share.ts'

const CHUNK = 4096

type Image = { readonly chunkCount: number; readonly data: readonly number[] }

const images: fc.Arbitrary<Image> = fc.integer({ min: 1, max: 400 }).chain((chunkCount) =>
  fc.record({
    chunkCount: fc.constant(chunkCount),
    data: fc.oneof(
      fc.subarray([...Array(chunkCount).keys()]),
      // All in one place, as of a file system that has hardly been used.
      fc
        .tuple(fc.nat(chunkCount - 1), fc.nat(chunkCount))
        .map(([start, count]) =>
          [...Array(Math.min(count, chunkCount - start)).keys()].map((at) => at + start),
        ),
    ),
  }),
)

async function shareOf(image: Image, rotationRuns: number, rotationStart: number): Promise<RotatingShare> {
  const sizeBytes = image.chunkCount * CHUNK - 1
  const ranges: readonly Range[] = image.data.map((at) => {
    return { offset: at * CHUNK, length: Math.min(CHUNK, sizeBytes - at * CHUNK) }
  })
  async function* data(): AsyncGenerator<readonly Range[]> {
    yield await Promise.resolve(ranges)
  }
  const shape = treeShape({ sizeBytes, chunkSizeBytes: CHUNK })
  return await rotatingShare({ shape, data, rotationRuns, rotationStart })
}

function chunksOf({ ranges }: RotatingShare): readonly number[] {
  return ranges.flatMap((range) => {
    const first = range.offset / CHUNK
    return [...Array(Math.ceil(endOf(range) / CHUNK) - first).keys()].map((at) => at + first)
  })
}

test('rotatingShare() passes over all chunks in no more runs than asked, and never over much of the data at once', async () => {
  await fc.assert(
    fc.asyncProperty(images, fc.integer({ min: 1, max: 70 }), async (image, runs) => {
      const seen: number[] = []
      let runCount = 0
      let at = 0
      do {
        const share = await shareOf(image, runs, at)
        const chunks = chunksOf(share)
        const dataCount = chunks.filter((chunk) => image.data.includes(chunk)).length
        const most = (count: number): number => Math.ceil((2 * count) / runs) + 1
        assert.ok(dataCount <= most(image.data.length), `${dataCount} of ${image.data.length}`)
        assert.ok(chunks.length <= most(image.chunkCount), `${chunks.length}`)
        seen.push(...chunks)
        at = share.next
        runCount += 1
      } while (at !== 0)
      assert.ok(runCount <= runs, `${runCount} runs`)
      assert.deepEqual(seen, [...Array(image.chunkCount).keys()])
    }),
    { numRuns: 500 },
  )
})

test('rotatingShare() is one part of an image that is full of data, or of holes', async () => {
  for (const data of [[...Array(640).keys()], []]) {
    const share = await shareOf({ chunkCount: 640, data }, 64, 100)
    assert.deepEqual([chunksOf(share)[0], share.next], [100, 110])
  }
})

test('rotatingShare() takes a small step where all data lies, and a large one where there is none', async () => {
  const image = { chunkCount: 6400, data: [...Array(64).keys()] }
  const near = await shareOf(image, 64, 0)
  assert.equal(near.next, 2)
  const far = await shareOf(image, 64, 1000)
  assert.equal(far.next, 1200)
})

test('rotatingShare() reads nothing where it is switched off, and goes on there later', async () => {
  assert.deepEqual(await shareOf({ chunkCount: 10, data: [1] }, 0, 7), { ranges: [], next: 7 })
})
