import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Range } from '../domain/range.ts'
import { bridgeGaps } from '../extents/bridge-gaps.ts'
import { mergedRanges } from '../extents/merged-ranges.ts'

/** So many ranges are remembered exactly, and so many epochs apart; beyond, more is called moved than has moved. */
const RANGES_MAX = 131_072
const EPOCHS_MAX = 256
const FEW = { countMax: RANGES_MAX, gapBytes: 64 * 1024 }

/** What moved between an epoch, or several, and the one before. */
type Step = { readonly number: number; readonly moved: readonly Range[] }

/**
 * The epochs of the map of one image, from 1 on, and what moved from each to the next: so that a map of any epoch can be
 * brought up to date, also one whose owner never got the answer.
 */
export class EpochHistory {
  readonly #name: string
  /** Ascending; the first one may stand for several epochs. */
  #steps: Step[] = []
  #newest = 1

  /** `name` is in the words for its epochs, so that those of another image are not taken for its own. */
  constructor(name: string) {
    this.#name = name
  }

  get newest(): string {
    return this.#wordOf(this.#newest)
  }

  /** What lies elsewhere since the newest epoch begins the next one; when nothing does, it goes on. */
  add(moved: readonly Range[]): void {
    if (moved.length === 0) return
    this.#newest += 1
    this.#steps.push({ number: this.#newest, moved: bridgeGaps(mergedRanges(moved), FEW) })
    while (this.#isTooLong()) this.#mergeOldest()
  }

  /** What lies elsewhere than under `epoch`, and perhaps more, ascending. Throws USAGE_WRONG. */
  movedSince(epoch: string): readonly Range[] {
    const number = this.#numberOf(epoch)
    const later = this.#steps.filter((step) => step.number > number)
    const [only] = later
    if (later.length <= 1) return only?.moved ?? []
    return mergedRanges(later.flatMap(({ moved }) => moved))
  }

  #wordOf(number: number): string {
    return `${this.#name}-${number}`
  }

  #numberOf(epoch: string): number {
    const number = Number(/^.*-([1-9][0-9]{0,14})$/.exec(epoch)?.[1])
    if (number >= 1 && number <= this.#newest && epoch === this.#wordOf(number)) return number
    const message = `Cannot identify the map of epoch "${epoch.slice(0, 100)}": it is none of this image, whose newest is "${this.newest}"`
    throw new BackupError(ErrorCode.UsageWrong, message)
  }

  #isTooLong(): boolean {
    if (this.#steps.length < 2) return false
    const count = this.#steps.reduce((sum, { moved }) => sum + moved.length, 0)
    return this.#steps.length > EPOCHS_MAX || count > RANGES_MAX
  }

  /** Who asks by an epoch between the two gets what moved in both. */
  #mergeOldest(): void {
    const [first, second, ...later] = this.#steps
    if (first === undefined || second === undefined) return
    const moved = bridgeGaps(mergedRanges([...first.moved, ...second.moved]), FEW)
    this.#steps = [{ number: second.number, moved }, ...later]
  }
}
