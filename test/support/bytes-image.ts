import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

import type { ExtentBatch } from '../../src/domain/extent.ts'
import type { FrozenImage } from '../../src/domain/frozen-image.ts'
import type { Range } from '../../src/domain/range.ts'

export type BytesImageOptions = {
  readonly sectorSizeBytes?: number
  /** Told of every read. */
  readonly onRead?: (range: Range) => void
}

/** An image in memory, its own device number 0. A read outside fails the test. */
export function bytesImage(bytes: Uint8Array, options: BytesImageOptions = {}): FrozenImage {
  const sizeBytes = bytes.byteLength
  return {
    sizeBytes,
    sectorSizeBytes: options.sectorSizeBytes ?? 512,
    extents: wholeExtents,
    readInto: (target, offset) => {
      assert(offset >= 0 && offset + target.byteLength <= sizeBytes, 'read outside the image')
      options.onRead?.({ offset, length: target.byteLength })
      target.set(bytes.subarray(offset, offset + target.byteLength))
      return Promise.resolve()
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** A file as an image, its own device number 0; disposing of it closes the file. */
export function fileImage(path: string, options: BytesImageOptions = {}): FrozenImage {
  const file = openSync(path, 'r')
  const sizeBytes = fstatSync(file).size
  return {
    sizeBytes,
    sectorSizeBytes: options.sectorSizeBytes ?? 512,
    extents: wholeExtents,
    readInto: (target, offset) => {
      assert(offset >= 0 && offset + target.byteLength <= sizeBytes, 'read outside the image')
      options.onRead?.({ offset, length: target.byteLength })
      let done = 0
      while (done < target.byteLength) {
        const count = readSync(file, target, done, target.byteLength - done, offset + done)
        assert(count > 0, 'the file ends early')
        done += count
      }
      return Promise.resolve()
    },
    [Symbol.asyncDispose]: () => Promise.resolve(closeSync(file)),
  }
}

async function* wholeExtents({ offset, length }: Range): AsyncGenerator<ExtentBatch> {
  yield await Promise.resolve([{ kind: 'data', offset, length, device: 0, physicalOffset: offset }] as const)
}
