import assert from 'node:assert/strict'

/** Numbers in 8 bytes each, outside the heap of objects: what a table of millions of extents is made of. */
export class NumberColumn {
  #values = new Float64Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      this.#values = new Float64Array(this.#values.buffer.transfer(2 * this.#values.byteLength))
    }
    this.#values[this.#length++] = value
  }

  at(index: number): number {
    assert(index < this.#length)
    return this.#values[index] ?? Number.NaN
  }

  /** The index of the last value that is at most `limit`, -1 when there is none; the values must ascend. */
  lastAtMost(limit: number): number {
    let low = -1
    let high = this.#length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (this.at(middle) <= limit) low = middle
      else high = middle
    }
    return low
  }
}
