import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'

import type { FrozenImage } from '../../src/domain/frozen-image.ts'
import type { Range } from '../../src/domain/range.ts'
import { bytesImage } from './bytes-image.ts'

const PAGE_BYTES = 16 * 1024
const ZEROS = new Uint8Array(PAGE_BYTES)

/** Bytes in memory of which only the pages that are not all zeros are there: a disk of a gigabyte that is nearly empty. */
export class SparseBytes {
  readonly sizeBytes: number
  readonly #pages: Map<number, Uint8Array>
  /** Pages that nobody else has. */
  readonly #own = new Set<number>()

  constructor(sizeBytes: number, pages: ReadonlyMap<number, Uint8Array> = new Map()) {
    this.sizeBytes = sizeBytes
    this.#pages = new Map(pages)
  }

  /** Shares the pages until one of both is written to: it must be the copy. */
  copy(): SparseBytes {
    return new SparseBytes(this.sizeBytes, this.#pages)
  }

  get pages(): ReadonlyMap<number, Uint8Array> {
    return this.#pages
  }

  get memoryBytes(): number {
    return this.#pages.size * PAGE_BYTES
  }

  readInto(target: Uint8Array, offset: number): void {
    assert(offset >= 0 && offset + target.byteLength <= this.sizeBytes, 'read outside the image')
    let done = 0
    while (done < target.byteLength) {
      const at = offset + done
      const page = Math.floor(at / PAGE_BYTES)
      const start = at - page * PAGE_BYTES
      const piece = (this.#pages.get(page) ?? ZEROS).subarray(start, start + target.byteLength - done)
      target.set(piece, done)
      done += piece.byteLength
    }
  }

  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length)
    this.readInto(bytes, offset)
    return bytes
  }

  write(bytes: Uint8Array, offset: number): void {
    assert(offset >= 0 && offset + bytes.byteLength <= this.sizeBytes, 'write outside the image')
    let done = 0
    while (done < bytes.byteLength) {
      const at = offset + done
      const page = Math.floor(at / PAGE_BYTES)
      const start = at - page * PAGE_BYTES
      const piece = bytes.subarray(done, done + PAGE_BYTES - start)
      const isNothing = !this.#pages.has(page) && isZero(piece)
      if (!isNothing) this.#ownPage(page).set(piece, start)
      done += piece.byteLength
    }
  }

  #ownPage(page: number): Uint8Array {
    const found = this.#pages.get(page)
    if (found !== undefined && this.#own.has(page)) return found
    const own = new Uint8Array(PAGE_BYTES)
    if (found !== undefined) own.set(found)
    this.#pages.set(page, own)
    this.#own.add(page)
    return own
  }
}

/** An image of them, its own device number 0. A read outside fails the test. */
export function sparseImage(bytes: SparseBytes, onRead?: (range: Range) => void): FrozenImage {
  return {
    ...bytesImage(new Uint8Array(0)),
    sizeBytes: bytes.sizeBytes,
    readInto: (target, offset) => {
      onRead?.({ offset, length: target.byteLength })
      bytes.readInto(target, offset)
      return Promise.resolve()
    },
  }
}

/** The bytes of a file, or of what is in it when its name ends with `.gz`; zeros take no memory. */
export async function readSparse(path: string, sizeBytes: number): Promise<SparseBytes> {
  const sparse = new SparseBytes(sizeBytes)
  const file = createReadStream(path, { highWaterMark: 64 * PAGE_BYTES })
  const stream = path.endsWith('.gz') ? file.pipe(createGunzip({ chunkSize: 64 * PAGE_BYTES })) : file
  let offset = 0
  for await (const chunk of stream) {
    assert(chunk instanceof Uint8Array)
    sparse.write(chunk, offset)
    offset += chunk.byteLength
  }
  assert.equal(offset, sizeBytes, `${path} has another size`)
  return sparse
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZEROS.subarray(0, bytes.byteLength)) === 0
}
