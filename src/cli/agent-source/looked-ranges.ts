import { endOf, type Range } from '../../domain/range.ts'
import { bridgeGaps } from '../../extents/bridge-gaps.ts'
import { mergedRanges } from '../../extents/merged-ranges.ts'

/** So many are remembered exactly; beyond, what lies between them counts as looked at too. */
const RANGES_MAX = 16_384
const GAP_BYTES = 1024 * 1024

/** What of an image was looked at, so that it can be told whether something of it has moved meanwhile. */
export class LookedRanges {
  #ranges: Range[] = []
  #isTouched = false

  add(range: Range): void {
    if (range.length === 0) return
    this.#ranges.push(range)
    if (this.#ranges.length >= RANGES_MAX * 2) this.#compact()
  }

  /** To be told of all that moves, by whoever hears of it, when it is known where it lies now. */
  noteMoved(moved: readonly Range[]): void {
    this.#isTouched ||= this.#isTouchedBy(moved)
  }

  /** Whether nothing that was looked at has moved since this was asked before. */
  takeRight(): boolean {
    const isRight = !this.#isTouched
    this.#ranges = []
    this.#isTouched = false
    return isRight
  }

  #isTouchedBy(moved: readonly Range[]): boolean {
    if (moved.length === 0) return false
    this.#compact()
    let next = 0
    for (const range of moved) {
      while (next < this.#ranges.length && endOf(this.#ranges[next] ?? range) <= range.offset) next += 1
      const looked = this.#ranges[next]
      if (looked === undefined) return false
      if (looked.offset < endOf(range)) return true
    }
    return false
  }

  #compact(): void {
    this.#ranges = [...bridgeGaps(mergedRanges(this.#ranges), { countMax: RANGES_MAX, gapBytes: GAP_BYTES })]
  }
}
