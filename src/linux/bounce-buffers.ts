import { ReadTurns } from './read-turns.ts'

export type BounceMemoryOptions = {
  readonly sizeBytes: number
  readonly allocate: (bytes: number) => Uint8Array
  readonly spareMax?: number
}

/** What was given back is kept up to this number, for whoever comes next. */
const SPARE_MAX = 64

/**
 * Pieces of memory of one size, made when there is none to spare, and never left to be found as garbage: nobody looks for
 * shared memory that is not used any more before much else has been used up.
 */
export class BounceMemory {
  readonly #options: Required<BounceMemoryOptions>
  readonly #spare: Uint8Array[] = []

  constructor(options: BounceMemoryOptions) {
    this.#options = { spareMax: SPARE_MAX, ...options }
  }

  /** Dispose of it when nothing reads into it any more. */
  borrow(): Disposable & { readonly bytes: Uint8Array } {
    const { sizeBytes, allocate, spareMax } = this.#options
    const bytes = this.#spare.pop() ?? allocate(sizeBytes)
    return {
      bytes,
      [Symbol.dispose]: () => {
        if (this.#spare.length < spareMax) this.#spare.push(bytes)
      },
    }
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
      using borrowed = this.#memory.borrow()
      await use(borrowed.bytes)
    })
  }
}
