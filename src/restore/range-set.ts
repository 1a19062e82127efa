import { endOf, type Range } from '../domain/range.ts'

/** Ranges to ask about: sixteen bytes each. */
export class RangeSet {
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  /** Ranges come ascending and do not overlap. */
  add({ offset, length }: Range): void {
    const last = this.#ends.length - 1
    if (last >= 0 && this.#ends[last] === offset) {
      this.#ends[last] = offset + length
      return
    }
    this.#starts.push(offset)
    this.#ends.push(offset + length)
  }

  get isEmpty(): boolean {
    return this.#starts.length === 0
  }

  /** Whether any byte of `range` is in one of them. */
  touches({ offset, length }: Range): boolean {
    const first = this.#firstBehind(offset)
    return first < this.#starts.length && (this.#starts[first] ?? 0) < offset + length
  }

  /** The parts of them that are in `range`. */
  *within(range: Range): Generator<Range> {
    for (let index = this.#firstBehind(range.offset); index < this.#starts.length; index += 1) {
      const offset = Math.max(range.offset, this.#starts[index] ?? 0)
      const end = Math.min(endOf(range), this.#ends[index] ?? 0)
      if (offset >= end) return
      yield { offset, length: end - offset }
    }
  }

  /** The first range that ends behind `offset`. */
  #firstBehind(offset: number): number {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ends[middle] ?? 0) > offset) high = middle
      else low = middle + 1
    }
    return low
  }
}
