import type { FrozenImage } from '../domain/frozen-image.ts'
import type { Range } from '../domain/range.ts'
import { readBytes } from './read-bytes.ts'

/** Enough for a disk to put them in order, or for the way there and back of a network to be filled. */
const AHEAD_COUNT = 32

/**
 * Reads pieces of an image that are known beforehand and come to be needed one after the other: while one is looked at the
 * next are under way. They are small: some are held at a time.
 */
export class ReadsAhead implements AsyncDisposable {
  readonly #image: FrozenImage
  readonly #wanted: Iterator<Range>
  readonly #underWay: Promise<Uint8Array>[] = []

  /** `wanted` is walked as far as is read. */
  constructor(image: FrozenImage, wanted: Iterable<Range>) {
    this.#image = image
    this.#wanted = wanted[Symbol.iterator]()
  }

  /** The next of the pieces. Throws what reading it threw, and RangeError behind the last one. */
  async next(): Promise<Uint8Array> {
    while (this.#underWay.length < AHEAD_COUNT) {
      const { value, done } = this.#wanted.next()
      if (done === true) break
      const piece = readBytes(this.#image, value.offset, value.length)
      piece.catch(ignore) // Who comes to need it hears of it.
      this.#underWay.push(piece)
    }
    const piece = this.#underWay.shift()
    if (piece === undefined) throw new RangeError('all pieces were read')
    return await piece
  }

  /** What is under way is waited for: whoever has the image may close it then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }
}

function ignore(): void {}
