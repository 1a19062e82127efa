import { endOf, type Range } from '../../domain/range.ts'
import { mergedRanges } from '../../extents/merged-ranges.ts'

/** So many are sorted and joined at once. */
const GATHERED_MAX = 2 ** 20

/**
 * Takes ranges in any order, and gives them ascending, joined where they touch or overlap. Stripes that follow one
 * another on a disk become one range at once. Ranges shorter than `atLeastBytes` may be dropped before others that
 * they would touch are there.
 */
export class RangeGatherer {
  readonly #atLeastBytes: number
  #ranges: Range[] = []
  #compactAt = GATHERED_MAX

  constructor(atLeastBytes: number) {
    this.#atLeastBytes = atLeastBytes
  }

  add(range: Range): void {
    const last = this.#ranges.at(-1)
    if (last !== undefined && endOf(last) === range.offset) {
      this.#ranges[this.#ranges.length - 1] = { offset: last.offset, length: last.length + range.length }
      return
    }
    this.#ranges.push(range)
    if (this.#ranges.length < this.#compactAt) return
    this.#ranges = mergedRanges(this.#ranges)
    if (this.#ranges.length > this.#compactAt / 2) this.#ranges = this.#longEnough(this.#ranges)
    this.#compactAt = Math.max(GATHERED_MAX, 2 * this.#ranges.length)
  }

  /** Without those that are too short. */
  ranges(): readonly Range[] {
    return this.#longEnough(mergedRanges(this.#ranges))
  }

  #longEnough(ranges: readonly Range[]): Range[] {
    return ranges.filter((range) => range.length >= this.#atLeastBytes)
  }
}
