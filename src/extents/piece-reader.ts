/** Reads exact lengths from a stream of pieces of any lengths. */
export class PieceReader implements AsyncDisposable {
  readonly #pieces: AsyncGenerator<Uint8Array>
  #piece: Uint8Array = new Uint8Array(0)
  #position = 0

  constructor(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#pieces = each(pieces)
  }

  /** Bytes from the start of the stream. */
  get position(): number {
    return this.#position
  }

  /** The next `length` bytes, which the caller has bounded; throws SyntaxError when the stream ends before. */
  async read(length: number): Promise<Uint8Array> {
    if (this.#piece.byteLength < length) await this.#gather(length)
    const bytes = this.#piece.subarray(0, length)
    this.#piece = this.#piece.subarray(length)
    this.#position += length
    return bytes
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#piece.byteLength === 0) {
      const next = await this.#pieces.next()
      if (next.done === true) return true
      this.#piece = next.value
    }
    return false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return(undefined)
  }

  async #gather(length: number): Promise<void> {
    const pieces = [this.#piece]
    let available = this.#piece.byteLength
    while (available < length) {
      const next = await this.#pieces.next()
      if (next.done === true) {
        throw new SyntaxError(`found the end after ${available} bytes, expected ${length}`)
      }
      pieces.push(next.value)
      available += next.value.byteLength
    }
    this.#piece = concatenated(pieces, available)
  }
}

function concatenated(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.byteLength
  }
  return bytes
}

async function* each(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces
}
