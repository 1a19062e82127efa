import type { Extent } from '../../../src/domain/extent.ts'
import { endOf, type Range } from '../../../src/domain/range.ts'
import { SurveyFailure } from './survey-limit.ts'

/** Takes the ranges of a stream one after the other: they have to ascend, apart from one another, below `endOffset`. */
export class RangeJudge {
  readonly #what: string
  readonly #endOffset: number
  #position = 0
  bytes = 0

  constructor(what: string, endOffset: number) {
    this.#what = what
    this.#endOffset = endOffset
  }

  take(range: Range): void {
    const isSound = isNatural(range.offset) && isNatural(range.length) && range.length >= 1
    if (!isSound) throw new SurveyFailure(`${this.#what} has a range of ${range.length} at ${range.offset}`)
    if (range.offset < this.#position) {
      throw new SurveyFailure(`${this.#what} goes back from ${this.#position} to ${range.offset}`)
    }
    this.#position = endOf(range)
    if (this.#position > this.#endOffset) {
      throw new SurveyFailure(`${this.#what} goes to ${this.#position}, beyond ${this.#endOffset}`)
    }
    this.bytes += range.length
  }
}

/** Takes the extents of a map: they have to cover `range` wholly, and lie within their devices. */
export class MapJudge {
  readonly #what: string
  readonly #range: Range
  readonly #deviceSizes: readonly number[]
  #position: number

  constructor(what: string, range: Range, deviceSizes: readonly number[]) {
    this.#what = what
    this.#range = range
    this.#deviceSizes = deviceSizes
    this.#position = range.offset
  }

  take(extent: Extent): void {
    const { offset, length } = extent
    if (offset !== this.#position || !isNatural(length) || length < 1) {
      throw new SurveyFailure(`${this.#what} has ${length} at ${offset}, expected is ${this.#position}`)
    }
    this.#position = offset + length
    if (extent.kind === 'inline' && extent.bytes.byteLength !== length) {
      throw new SurveyFailure(`${this.#what} has ${extent.bytes.byteLength} bytes for ${length} at ${offset}`)
    }
    if (extent.kind !== 'data') return
    const { device, physicalOffset } = extent
    const isInside = isNatural(physicalOffset) && physicalOffset + length <= (this.#deviceSizes[device] ?? -1)
    if (!isInside) {
      throw new SurveyFailure(`${this.#what} lies at ${physicalOffset}+${length} of device ${device}`)
    }
  }

  end(): void {
    if (this.#position === endOf(this.#range)) return
    throw new SurveyFailure(`${this.#what} ends at ${this.#position}, expected is ${endOf(this.#range)}`)
  }
}

function isNatural(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
