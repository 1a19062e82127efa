import assert from 'node:assert/strict'
import type { ExtentBatch } from '../domain/extent.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import { endOf, type Range } from '../domain/range.ts'
import { moveExtent } from '../extents/cut-extent.ts'

/** A part of an image as an image: a partition of a disk. It borrows: to dispose of it leaves the larger one open. */
export function sliceImage(image: FrozenImage, part: Range): FrozenImage {
  assert(part.offset >= 0 && part.length >= 1 && endOf(part) <= image.sizeBytes)
  const { uncached } = image
  const isAligned = part.offset % image.sectorSizeBytes === 0
  return {
    sizeBytes: part.length,
    sectorSizeBytes: image.sectorSizeBytes,
    isCached: image.isCached === true,
    ...(uncached === undefined || !isAligned
      ? {}
      : {
          uncached: { readInto: (target, offset) => uncached.readInto(target, part.offset + offset) },
        }),
    extents: (range, signal) => {
      assert(endOf(range) <= part.length)
      return moved(image.extents({ ...range, offset: part.offset + range.offset }, signal), part.offset)
    },
    readInto: (target, offset) => {
      assert(offset >= 0 && offset + target.byteLength <= part.length)
      return image.readInto(target, part.offset + offset)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function* moved(batches: AsyncIterable<ExtentBatch>, by: number): AsyncGenerator<ExtentBatch> {
  for await (const batch of batches) yield batch.map((extent) => moveExtent(extent, extent.offset - by))
}
