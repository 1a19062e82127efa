import type { PieceToWrite } from '../../rpc/agent-api.ts'

/** So many pieces wait to be sent; whoever brings more waits too. */
const PIECES_MAX = 8

/** Pieces on their way from lanes to an agent. */
export class PieceChannel {
  readonly #waiting: PieceToWrite[] = []
  #isEnded = false
  #failure: { readonly error: unknown } | null = null
  #changed = Promise.withResolvers<void>()

  /** Resolves when there is room for the next one. Throws what the channel failed with. */
  async push(piece: PieceToWrite): Promise<void> {
    while (this.#waiting.length >= PIECES_MAX && this.#failure === null) await this.#changed.promise
    if (this.#failure !== null) throw this.#failure.error
    this.#waiting.push(piece)
    this.#wake()
  }

  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  async *pieces(): AsyncGenerator<PieceToWrite> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error
      const piece = this.#waiting.shift()
      if (piece !== undefined) {
        this.#wake()
        yield piece
      } else if (this.#isEnded) return
      else await this.#changed.promise
    }
  }

  #wake(): void {
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers<void>()
    resolve()
  }
}
