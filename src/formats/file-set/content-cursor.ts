import type { StoredItem } from './entry.ts'

/** Where an item of a bin's contents lies: chunks are counted from the start of these contents. */
export type ItemPlace = {
  readonly chunk: number
  /** Within the chunk; 0 for an item of a chunk and more. */
  readonly offset: number
}

/**
 * Places the contents of a bin's files in the order of the entries. Items that are shorter than a chunk lie one after
 * another in chunks of their own kind; each longer one has chunks to itself. Where an item lies is therefore not
 * written down: it follows from the ones before.
 */
export class ContentCursor {
  readonly #chunkSizeBytes: number
  #chunkCount = 0
  #smallChunk = -1
  #smallEnd = 0

  constructor(chunkSizeBytes: number) {
    this.#chunkSizeBytes = chunkSizeBytes
  }

  /** How many chunks are taken so far. */
  get chunkCount(): number {
    return this.#chunkCount
  }

  clone(): ContentCursor {
    const clone = new ContentCursor(this.#chunkSizeBytes)
    clone.#chunkCount = this.#chunkCount
    clone.#smallChunk = this.#smallChunk
    clone.#smallEnd = this.#smallEnd
    return clone
  }

  /** Whether a small item of that many bytes still fits behind the one before. */
  hasRoomFor(sizeBytes: number): boolean {
    return this.#smallChunk >= 0 && this.#smallEnd + sizeBytes <= this.#chunkSizeBytes
  }

  /** Throws SyntaxError for an item that does not fit where it says it lies. */
  place(item: StoredItem): ItemPlace {
    if (item.chunkCount > 0) {
      const chunk = this.#chunkCount
      this.#chunkCount += item.chunkCount
      return { chunk, offset: 0 }
    }
    if (item.sizeBytes > this.#chunkSizeBytes || !(item.beginsChunk || this.hasRoomFor(item.sizeBytes))) {
      throw new SyntaxError(
        `content of ${item.sizeBytes} bytes does not fit behind byte ${this.#smallEnd} of its chunk`,
      )
    }
    if (item.beginsChunk) {
      this.#smallChunk = this.#chunkCount
      this.#smallEnd = 0
      this.#chunkCount += 1
    }
    const place = { chunk: this.#smallChunk, offset: this.#smallEnd }
    this.#smallEnd += item.sizeBytes
    return place
  }
}
