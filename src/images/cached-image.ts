import assert from 'node:assert/strict'
import type { FrozenImage } from '../domain/frozen-image.ts'

export type CacheLimits = {
  /** The unit of reading, a power of two; a multiple of the image's sector size, so that devices allow it. */
  readonly pageBytes: number
  readonly memoryBytes: number
}

/** Enough for the inner nodes of every tree of a file system, and little beside the 256 MB of a run. */
const METADATA_CACHE: CacheLimits = { pageBytes: 16 * 1024, memoryBytes: 16 * 1024 * 1024 }

/**
 * An image that reads whole pages and keeps the ones used last: structures of some hundred bytes that lie together
 * cost one read. Reads need not be aligned. It borrows: to dispose of it leaves the image open.
 */
export function cachedImage(image: FrozenImage, limits: CacheLimits = METADATA_CACHE): FrozenImage {
  assert(limits.pageBytes % image.sectorSizeBytes === 0)
  const pages = new PageCache(image, limits)
  return {
    sizeBytes: image.sizeBytes,
    sectorSizeBytes: image.sectorSizeBytes,
    extents: (range, signal) => image.extents(range, signal),
    readInto: (target, offset) => pages.readInto(target, offset),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

class PageCache {
  readonly #image: FrozenImage
  readonly #pageBytes: number
  readonly #pageCountMax: number
  /** In the order of their last use, the oldest first. */
  readonly #pages = new Map<number, Promise<Uint8Array>>()

  constructor(image: FrozenImage, limits: CacheLimits) {
    this.#image = image
    this.#pageBytes = limits.pageBytes
    this.#pageCountMax = Math.max(1, Math.floor(limits.memoryBytes / limits.pageBytes))
  }

  async readInto(target: Uint8Array, offset: number): Promise<void> {
    assert(offset >= 0 && offset + target.byteLength <= this.#image.sizeBytes)
    let done = 0
    while (done < target.byteLength) {
      const at = offset + done
      const page = Math.floor(at / this.#pageBytes)
      const bytes = await this.#page(page)
      const start = at - page * this.#pageBytes
      const piece = bytes.subarray(start, start + target.byteLength - done)
      target.set(piece, done)
      done += piece.byteLength
    }
  }

  #page(page: number): Promise<Uint8Array> {
    const found = this.#pages.get(page)
    if (found !== undefined) {
      this.#pages.delete(page)
      this.#pages.set(page, found)
      return found
    }
    const read = this.#read(page)
    this.#pages.set(page, read)
    // A page that could not be read is asked for again; who waits for it hears of the failure.
    read.catch(() => this.#pages.delete(page))
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= this.#pageCountMax) break
      this.#pages.delete(oldest)
    }
    return read
  }

  async #read(page: number): Promise<Uint8Array> {
    const offset = page * this.#pageBytes
    const bytes = new Uint8Array(Math.min(this.#pageBytes, this.#image.sizeBytes - offset))
    await this.#image.readInto(bytes, offset)
    return bytes
  }
}
