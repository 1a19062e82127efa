import type { FrozenImage } from '../domain/frozen-image.ts'
import { endOf, type Range } from '../domain/range.ts'
import { readBytes } from './read-bytes.ts'

/** Enough for a disk to put them in order, or for the way there and back of a network to be filled. */
const AHEAD_COUNT = 32
/** Pieces that lie one behind the other are one read, as far as that is no longer. */
const READ_BYTES_MAX = 64 * 1024

/**
 * Reads pieces of an image that are known beforehand and come to be needed one after the other: while one is looked at the
 * next are under way. They are small, some are held at a time, and none is looked at again: they go past the image's cache.
 */
export class ReadsAhead implements AsyncDisposable {
  readonly #image: FrozenImage
  readonly #wanted: Iterator<Range>
  #following: Range | null
  readonly #underWay: Promise<Uint8Array>[] = []

  /** `wanted` is walked as far as is read, and one further. */
  constructor(image: FrozenImage, wanted: Iterable<Range>) {
    this.#image = image
    this.#wanted = wanted[Symbol.iterator]()
    this.#following = this.#walk()
  }

  /** The next of the pieces. Throws what reading it threw, and RangeError behind the last one. */
  async next(): Promise<Uint8Array> {
    while (this.#following !== null && this.#underWay.length < AHEAD_COUNT) this.#begin(this.#following)
    const piece = this.#underWay.shift()
    if (piece === undefined) throw new RangeError('all pieces were read')
    return await piece
  }

  /** What is under way is waited for: whoever has the image may close it then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  /** Begins to read a piece, and with it those that follow without a gap. */
  #begin(first: Range): void {
    const pieces = [first]
    let end = endOf(first)
    for (;;) {
      this.#following = this.#walk()
      if (this.#following === null || this.#following.offset !== end) break
      if (endOf(this.#following) - first.offset > READ_BYTES_MAX) break
      pieces.push(this.#following)
      end = endOf(this.#following)
    }
    const reading = this.#read({ offset: first.offset, length: end - first.offset })
    for (const wanted of pieces) {
      const piece = reading.then((bytes) =>
        bytes.subarray(wanted.offset - first.offset, endOf(wanted) - first.offset),
      )
      piece.catch(ignore) // Who comes to need it hears of it.
      this.#underWay.push(piece)
    }
  }

  #read({ offset, length }: Range): Promise<Uint8Array> {
    const { sizeBytes, sectorSizeBytes, uncached } = this.#image
    const isAligned = offset % sectorSizeBytes === 0 && length % sectorSizeBytes === 0
    if (uncached === undefined || !isAligned) return readBytes(this.#image, offset, length)
    return readBytes({ sizeBytes, readInto: uncached.readInto }, offset, length)
  }

  #walk(): Range | null {
    const { value, done } = this.#wanted.next()
    return done === true ? null : value
  }
}

function ignore(): void {}
