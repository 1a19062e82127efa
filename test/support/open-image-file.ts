import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

import type { FrozenImage } from '../../src/domain/frozen-image.ts'

/** An image file read directly, which counts what is read of it and refuses reads outside. */
export type ImageFile = FrozenImage &
  Disposable & { readonly counts: { readCount: number; readBytes: number } }

export function openImageFile(path: string): ImageFile {
  const file = openSync(path, 'r')
  const counts = { readCount: 0, readBytes: 0 }
  const { size } = fstatSync(file)
  return {
    sizeBytes: size,
    sectorSizeBytes: 512,
    counts,
    extents: () => {
      throw new Error('the map of an image file is not for this test')
    },
    readInto: (target, offset) => {
      if (offset < 0 || offset + target.byteLength > size) throw new RangeError(`read outside at ${offset}`)
      counts.readCount += 1
      counts.readBytes += target.byteLength
      readSync(file, target, 0, target.byteLength, offset)
      return Promise.resolve()
    },
    [Symbol.dispose]: () => closeSync(file),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
