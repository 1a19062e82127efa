import type { FrozenImage } from '../domain/frozen-image.ts'
import { endOf, type Range } from '../domain/range.ts'

/**
 * An image with a bad place: a read that touches `bad` fails as the system says it of a broken disk, with the code
 * EIO; every other read is served. It borrows: to dispose of it leaves the image open.
 */
export function failingImage(image: FrozenImage, bad: Range): FrozenImage {
  return {
    sizeBytes: image.sizeBytes,
    sectorSizeBytes: image.sectorSizeBytes,
    extents: (range, signal) => image.extents(range, signal),
    readInto: (target, offset) => {
      const touches = offset < endOf(bad) && bad.offset < offset + target.byteLength
      if (!touches) return image.readInto(target, offset)
      return Promise.reject(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }))
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
