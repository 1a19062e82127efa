import { endOf, type Range } from '../domain/range.ts'

/** 128 MB of bits: 4 TiB of blocks of 4 KiB. */
const BLOCKS_MAX = 2 ** 30

/** Some of the blocks of a volume: a bit for each block of the ranges that it was made of. */
export class BlockMask {
  readonly #blockSizeBytes: number
  /** Of the ranges, in blocks, ascending; and how many blocks those before have. */
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  readonly #bases: number[] = []
  readonly #bits: Uint8Array
  #count = 0

  /** Null for more blocks than fit into memory. The ranges come ascending and do not overlap. */
  static of(ranges: Iterable<Range>, blockSizeBytes: number): BlockMask | null {
    const mask = new BlockMask(ranges, blockSizeBytes)
    return mask.#count > BLOCKS_MAX ? null : mask
  }

  private constructor(ranges: Iterable<Range>, blockSizeBytes: number) {
    this.#blockSizeBytes = blockSizeBytes
    for (const range of ranges) this.#addRange(range)
    for (let index = 0; index < this.#starts.length; index += 1) {
      this.#bases.push(this.#count)
      this.#count += this.#endAt(index) - this.#startAt(index)
    }
    this.#bits = new Uint8Array(this.#count > BLOCKS_MAX ? 0 : Math.ceil(this.#count / 8)).fill(0xff)
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Takes the blocks out that `range` touches; says whether any was in. */
  remove(range: Range): boolean {
    const before = this.#count
    this.#visit(range, (bit, end) => {
      for (let at = bit; at < end; at += 1) {
        const byte = this.#bits[at >>> 3] ?? 0
        const one = 1 << (at & 7)
        if ((byte & one) === 0) continue
        this.#bits[at >>> 3] = byte & ~one
        this.#count -= 1
      }
    })
    return this.#count < before
  }

  touches(range: Range): boolean {
    let isIn = false
    this.#visit(range, (bit, end) => {
      for (let at = bit; at < end && !isIn; at += 1) isIn = this.#isSet(at)
    })
    return isIn
  }

  /** The runs of blocks that are in, ascending. Those of the range at hand may be taken out meanwhile. */
  *runs(): Generator<Range> {
    for (let index = 0; index < this.#starts.length; index += 1) {
      const [start, base] = [this.#startAt(index), this.#bases[index] ?? 0]
      const count = this.#endAt(index) - start
      let at = 0
      while (at < count) {
        if (!this.#isSet(base + at)) {
          at += 1
          continue
        }
        const first = at
        while (at < count && this.#isSet(base + at)) at += 1
        yield {
          offset: (start + first) * this.#blockSizeBytes,
          length: (at - first) * this.#blockSizeBytes,
        }
      }
    }
  }

  #addRange(range: Range): void {
    const start = Math.floor(range.offset / this.#blockSizeBytes)
    const end = Math.ceil(endOf(range) / this.#blockSizeBytes)
    const last = this.#ends.length - 1
    if (last >= 0 && this.#endAt(last) >= start) {
      this.#ends[last] = end
      return
    }
    this.#starts.push(start)
    this.#ends.push(end)
  }

  /** Calls `visit` with the bits of `range`, for each of the ranges that it touches. */
  #visit(range: Range, visit: (bit: number, end: number) => void): void {
    const first = Math.floor(range.offset / this.#blockSizeBytes)
    const stop = Math.ceil(endOf(range) / this.#blockSizeBytes)
    for (let index = this.#firstBehind(first); index < this.#starts.length; index += 1) {
      const start = this.#startAt(index)
      if (start >= stop) return
      const base = this.#bases[index] ?? 0
      visit(base + Math.max(first, start) - start, base + Math.min(stop, this.#endAt(index)) - start)
    }
  }

  #firstBehind(block: number): number {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#endAt(middle) > block) high = middle
      else low = middle + 1
    }
    return low
  }

  #isSet(bit: number): boolean {
    return ((this.#bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0
  }

  #startAt(index: number): number {
    return this.#starts[index] ?? 0
  }

  #endAt(index: number): number {
    return this.#ends[index] ?? 0
  }
}
