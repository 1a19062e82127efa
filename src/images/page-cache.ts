import assert from 'node:assert/strict'
import type { FrozenImage } from '../domain/frozen-image.ts'

export type CacheLimits = {
  /** The unit of reading, a power of two; a multiple of the images' sector sizes, so that devices allow it. */
  readonly pageBytes: number
  /** Of all images that share the cache, together. */
  readonly memoryBytes: number
}

/** Enough for the inner nodes of every tree of a file system, and little beside the 256 MB of a run. */
const METADATA_CACHE: CacheLimits = { pageBytes: 16 * 1024, memoryBytes: 16 * 1024 * 1024 }
/** What is longer is no node that is looked at again, and is faster read at once than page by page. */
const KEPT_READ_BYTES_MAX = 128 * 1024
/** Memory is asked for in pieces of up to this size, the first of them small: a cache often lives for a few reads. */
const SLAB_BYTES_MAX = 1024 * 1024
const SLAB_BYTES_MIN = 128 * 1024

/** An image among those that share a cache: its pages have numbers of their own. */
export type CachedPages = { readonly image: FrozenImage; readonly firstPage: number }

type Page = {
  readonly key: number
  /** Memory of a whole page, of which the last one of an image fills a part. */
  readonly frame: Uint8Array
  /** Of the memory that is used again; else there were more reads at one time than pages. */
  readonly isLasting: boolean
  /** Null when it was read. */
  reading: Promise<void> | null
  /** Who waits for it: until they have their bytes, its memory is not given to another one. */
  waitingCount: number
  hasFailed: boolean
}

const DONE = Promise.resolve()

/**
 * The pages used last of some images, in memory that is asked for once and used again: what was read before is no
 * garbage that somebody has to find.
 */
export class PageCache {
  readonly #pageBytes: number
  readonly #pageCountMax: number
  /** In the order of their last use, the oldest first. */
  readonly #pages = new Map<number, Page>()
  /** The one used last: structures are small, and read one after the other. */
  #latest: Page | null = null
  #endPage = 0
  #frameCount = 0
  readonly #freeFrames: Uint8Array[] = []

  constructor(limits: CacheLimits = METADATA_CACHE) {
    this.#pageBytes = limits.pageBytes
    this.#pageCountMax = Math.max(1, Math.floor(limits.memoryBytes / limits.pageBytes))
  }

  add(image: FrozenImage): CachedPages {
    assert(this.#pageBytes % image.sectorSizeBytes === 0)
    const firstPage = this.#endPage
    this.#endPage += Math.ceil(image.sizeBytes / this.#pageBytes)
    return { image, firstPage }
  }

  readInto(pages: CachedPages, target: Uint8Array, offset: number): Promise<void> {
    assert(offset >= 0 && offset + target.byteLength <= pages.image.sizeBytes)
    const isLong = target.byteLength > Math.max(KEPT_READ_BYTES_MAX, 2 * this.#pageBytes)
    return isLong ? this.#readLong(pages, target, offset) : this.#readKept(pages, target, offset)
  }

  /** Whole pages go past the cache, at once; those that are begun at either end through it. */
  async #readLong(pages: CachedPages, target: Uint8Array, offset: number): Promise<void> {
    const head = (this.#pageBytes - (offset % this.#pageBytes)) % this.#pageBytes
    const tail = (offset + target.byteLength) % this.#pageBytes
    const tailAt = target.byteLength - tail
    await this.#readKept(pages, target.subarray(0, head), offset)
    await pages.image.readInto(target.subarray(head, tailAt), offset + head)
    await this.#readKept(pages, target.subarray(tailAt), offset + tailAt)
  }

  /** What is at hand is copied at once. */
  #readKept(pages: CachedPages, target: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < target.byteLength;) {
      const page = this.#pageAt(pages, offset + done)
      if (page.reading !== null) return this.#readOn(pages, target.subarray(done), offset + done)
      done += this.#copy(page, target.subarray(done), offset + done)
    }
    return DONE
  }

  async #readOn(pages: CachedPages, target: Uint8Array, offset: number): Promise<void> {
    // All of them at once: the next need not wait for the way there and back of the first.
    for (let ahead = 0; ahead < target.byteLength; ahead += this.#pageBytes)
      this.#pageAt(pages, offset + ahead)
    for (let done = 0; done < target.byteLength;) {
      const page = this.#pageAt(pages, offset + done)
      page.waitingCount += 1
      try {
        await page.reading
        done += this.#copy(page, target.subarray(done), offset + done)
      } finally {
        page.waitingCount -= 1
        this.#release(page)
      }
    }
  }

  #copy({ frame }: Page, target: Uint8Array, offset: number): number {
    const start = offset % this.#pageBytes
    const bytes = frame.subarray(start, start + target.byteLength)
    target.set(bytes)
    return bytes.byteLength
  }

  #pageAt(pages: CachedPages, offset: number): Page {
    const number = Math.floor(offset / this.#pageBytes)
    const key = pages.firstPage + number
    if (this.#latest?.key === key) return this.#latest
    const found = this.#pages.get(key)
    if (found !== undefined) this.#pages.delete(key)
    const page = found ?? this.#read(pages.image, { key, offset: number * this.#pageBytes })
    this.#pages.set(key, page)
    this.#latest = page
    return page
  }

  #read(image: FrozenImage, at: { readonly key: number; readonly offset: number }): Page {
    const lasting = this.#takeFrame()
    const frame = lasting ?? new Uint8Array(this.#pageBytes)
    const length = Math.min(this.#pageBytes, image.sizeBytes - at.offset)
    const page: Page = {
      key: at.key,
      frame,
      isLasting: lasting !== null,
      reading: null,
      waitingCount: 0,
      hasFailed: false,
    }
    page.reading = this.#fill(page, image, { bytes: frame.subarray(0, length), offset: at.offset })
    page.reading.catch(ignore) // Whoever comes to need it hears of it.
    return page
  }

  async #fill(
    page: Page,
    image: FrozenImage,
    { bytes, offset }: { readonly bytes: Uint8Array; readonly offset: number },
  ): Promise<void> {
    try {
      await image.readInto(bytes, offset)
      page.reading = null
    } catch (error) {
      // It is asked for again; who waits for it hears of the failure.
      page.hasFailed = true
      this.#drop(page)
      if (page.waitingCount === 0) this.#release(page)
      throw error
    }
  }

  /** Null when all pages are being read or waited for. */
  #takeFrame(): Uint8Array | null {
    if (this.#freeFrames.length === 0) this.#addFrames()
    const free = this.#freeFrames.pop()
    if (free !== undefined) return free
    for (const page of this.#pages.values()) {
      if (!isIdle(page) || !page.isLasting) continue
      this.#drop(page)
      return page.frame
    }
    return null
  }

  #addFrames(): void {
    const slabBytes = clamp(this.#frameCount * this.#pageBytes, SLAB_BYTES_MIN, SLAB_BYTES_MAX)
    const inSlab = Math.max(1, Math.floor(slabBytes / this.#pageBytes))
    const count = Math.min(inSlab, this.#pageCountMax - this.#frameCount)
    const slab = new Uint8Array(count * this.#pageBytes)
    for (let start = slab.byteLength - this.#pageBytes; start >= 0; start -= this.#pageBytes) {
      this.#freeFrames.push(slab.subarray(start, start + this.#pageBytes))
    }
    this.#frameCount += count
  }

  #drop(page: Page): void {
    this.#pages.delete(page.key)
    if (this.#latest === page) this.#latest = null
  }

  /** Of a page that nobody waits for any more: what is not to be kept goes. */
  #release(page: Page): void {
    if (page.waitingCount > 0) return
    if (page.hasFailed && page.isLasting) this.#freeFrames.push(page.frame)
    if (!page.hasFailed && !page.isLasting) this.#drop(page)
  }
}

function ignore(): void {}

function isIdle({ reading, waitingCount }: Page): boolean {
  return reading === null && waitingCount === 0
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}
