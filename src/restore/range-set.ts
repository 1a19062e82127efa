import type { Range } from '../domain/range.ts'

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
    // The first range that ends behind `offset`.
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ends[middle] ?? 0) > offset) high = middle
      else low = middle + 1
    }
    return low < this.#starts.length && (this.#starts[low] ?? 0) < offset + length
  }
}
