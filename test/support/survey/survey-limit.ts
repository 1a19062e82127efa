/** The reader did something that it never may: the sentence says what. */
export class SurveyFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SurveyFailure'
  }
}

export type SurveyLimits = {
  /** Reads of the images, below all caches. */
  readonly readCountMax: number
  /** Files, extents, ranges, runs. */
  readonly stepCountMax: number
  readonly msMax: number
}

/** Counts what a survey does, and ends it when that is more than it may be: an endless loop, or nearly one. */
export class SurveyLimit {
  readonly #limits: SurveyLimits
  readonly #startMs = performance.now()
  readCount = 0
  stepCount = 0

  constructor(limits: SurveyLimits) {
    this.#limits = limits
  }

  get ms(): number {
    return performance.now() - this.#startMs
  }

  read(): void {
    this.readCount += 1
    const { readCountMax } = this.#limits
    if (this.readCount > readCountMax) throw new SurveyFailure(`it reads more than ${readCountMax} times`)
    if (this.readCount % 64 === 0) this.#checkTime()
  }

  step(count = 1): void {
    this.stepCount += count
    const { stepCountMax } = this.#limits
    if (this.stepCount > stepCountMax) throw new SurveyFailure(`it takes more than ${stepCountMax} steps`)
    if (this.stepCount % 64 < count) this.#checkTime()
  }

  #checkTime(): void {
    const { msMax } = this.#limits
    if (this.ms > msMax) throw new SurveyFailure(`it takes more than ${msMax} ms`)
  }
}
