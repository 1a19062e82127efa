import { endOf, type Range } from '../../domain/range.ts'
import { bridgeGaps } from '../../extents/bridge-gaps.ts'
import { mergedRanges } from '../../extents/merged-ranges.ts'

/** So many are remembered exactly; beyond, what lies between them counts as looked at too. */
const RANGES_MAX = 16_384
const GAP_BYTES = 1024 * 1024

/** What of an image was looked at, so that it can be told whether something of it has moved meanwhile. */
export class LookedRanges {
  #ranges: Range[] = []

  add(range: Range): void {
    if (range.length === 0) return
    this.#ranges.push(range)
    if (this.#ranges.length >= RANGES_MAX * 2) this.#compact()
  }

  /** True when one of `moved` was looked at. */
  isTouchedBy(moved: readonly Range[]): boolean {
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

  clear(): void {
    this.#ranges = []
  }

  #compact(): void {
    this.#ranges = [...bridgeGaps(mergedRanges(this.#ranges), { countMax: RANGES_MAX, gapBytes: GAP_BYTES })]
  }
}
