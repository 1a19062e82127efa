import assert from 'node:assert/strict'

/** Direct I/O reads into whole pages. */
const PAGE_SIZE_BYTES = 4096

/** `start` and `end` are within the memory. */
type Piece = { readonly bytes: Uint8Array; readonly start: number; readonly end: number; isReleased: boolean }
type Waiting = { readonly length: number; readonly resolve: (bytes: Uint8Array) => void }

/**
 * Memory that is handed out in pieces of any length, in the order in which they are asked for, and comes back in about
 * that order: as many small pieces as fit, where buffers of one size would each hold one.
 *
 *   │ free │ oldest … newest │ free │        │ … newest │ free │ oldest … │ unused │
 */
export class RingMemory {
  readonly #memory: Uint8Array
  /** The oldest first. */
  readonly #pieces: Piece[] = []
  readonly #waiting: Waiting[] = []

  /** `memory` begins at a page. */
  constructor(memory: Uint8Array) {
    this.#memory = memory
  }

  /** Page-aligned memory of that length, when there is room; it must be released. */
  async acquire(length: number): Promise<Uint8Array> {
    assert(length > 0 && length <= this.#memory.byteLength)
    const bytes = this.#waiting.length > 0 ? null : this.#take(length)
    if (bytes !== null) return bytes
    const { promise, resolve } = Promise.withResolvers<Uint8Array>()
    this.#waiting.push({ length, resolve })
    return await promise
  }

  /** What `acquire` gave. */
  release(bytes: Uint8Array): void {
    const piece = this.#pieces.find((one) => one.bytes === bytes)
    assert(piece !== undefined && !piece.isReleased)
    piece.isReleased = true
    while (this.#pieces[0]?.isReleased === true) this.#pieces.shift()
    for (;;) {
      const [next] = this.#waiting
      const taken = next === undefined ? null : this.#take(next.length)
      if (next === undefined || taken === null) return
      this.#waiting.shift()
      next.resolve(taken)
    }
  }

  #take(length: number): Uint8Array | null {
    const size = Math.ceil(length / PAGE_SIZE_BYTES) * PAGE_SIZE_BYTES
    const start = this.#placeFor(Math.min(size, this.#memory.byteLength))
    if (start === null) return null
    const bytes = this.#memory.subarray(start, start + length)
    this.#pieces.push({
      bytes,
      start,
      end: Math.min(start + size, this.#memory.byteLength),
      isReleased: false,
    })
    return bytes
  }

  #placeFor(size: number): number | null {
    const [oldest] = this.#pieces
    const newest = this.#pieces.at(-1)
    if (oldest === undefined || newest === undefined) return 0
    const isWrapped = newest.start < oldest.start
    const end = isWrapped ? oldest.start : this.#memory.byteLength
    if (newest.end + size <= end) return newest.end
    return !isWrapped && size <= oldest.start ? 0 : null
  }
}
