/** Lets a few go on at a time; the others wait for their turn, in the order in which they came. */
export class ReadTurns {
  readonly #waiting: (() => void)[] = []
  #freeCount: number

  constructor(count: number) {
    this.#freeCount = count
  }

  async do(work: () => Promise<void>): Promise<void> {
    if (this.#freeCount > 0) this.#freeCount -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#freeCount += 1
      else next()
    }
  }
}
