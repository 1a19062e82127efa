import { ReadTurns } from './read-turns.ts'

export type BounceMemoryOptions = {
  readonly sizeBytes: number
  readonly allocate: (bytes: number) => Uint8Array
}

/** What was given back is kept up to this number, for whoever comes next. */
const SPARE_MAX = 64

/**
 * Pieces of memory of one size, made when there is none to spare, and never left to be found as garbage: nobody looks for
 * shared memory that is not used any more before much else has been used up.
 */
export class BounceMemory {
  readonly #options: BounceMemoryOptions
  readonly #spare: Uint8Array[] = []

  constructor(options: BounceMemoryOptions) {
    this.#options = options
  }

  take(): Uint8Array {
    return this.#spare.pop() ?? this.#options.allocate(this.#options.sizeBytes)
  }

  giveBack(bounce: Uint8Array): void {
    if (this.#spare.length < SPARE_MAX) this.#spare.push(bounce)
  }
}

/** Memory through which bytes pass that cannot be read to where they belong: at most `countMax` pieces for one reader. */
export class BounceBuffers {
  readonly #memory: BounceMemory
  readonly #turns: ReadTurns

  constructor(memory: BounceMemory, countMax: number) {
    this.#memory = memory
    this.#turns = new ReadTurns(countMax)
  }

  async with(use: (bounce: Uint8Array) => Promise<void>): Promise<void> {
    await this.#turns.do(async () => {
      const bounce = this.#memory.take()
      try {
        await use(bounce)
      } finally {
        this.#memory.giveBack(bounce)
      }
    })
  }
}
