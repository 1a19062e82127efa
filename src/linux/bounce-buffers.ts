export type BounceBufferOptions = {
  readonly sizeBytes: number
  /** However many are asked for at once: the others wait for their turn. */
  readonly countMax: number
  readonly allocate: (bytes: number) => Uint8Array
}

/** Memory through which bytes pass that cannot be read to where they belong; made when it is needed, and used again. */
export class BounceBuffers {
  readonly #options: BounceBufferOptions
  readonly #spare: Uint8Array[] = []
  readonly #waiting: ((bounce: Uint8Array) => void)[] = []
  #madeCount = 0

  constructor(options: BounceBufferOptions) {
    this.#options = options
  }

  async with(use: (bounce: Uint8Array) => Promise<void>): Promise<void> {
    const bounce = await this.#take()
    try {
      await use(bounce)
    } finally {
      this.#giveBack(bounce)
    }
  }

  async #take(): Promise<Uint8Array> {
    const spare = this.#spare.pop()
    if (spare !== undefined) return spare
    const { countMax, sizeBytes, allocate } = this.#options
    if (this.#madeCount < countMax) {
      const made = allocate(sizeBytes)
      this.#madeCount += 1
      return made
    }
    const { promise, resolve } = Promise.withResolvers<Uint8Array>()
    this.#waiting.push(resolve)
    return await promise
  }

  #giveBack(bounce: Uint8Array): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#spare.push(bounce)
    else next(bounce)
  }
}
