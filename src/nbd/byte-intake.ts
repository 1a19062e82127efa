import assert from 'node:assert/strict'

/** A server speaks when it is asked; what it says before that is no more than the rest of an answer. */
const BACKLOG_MAX_BYTES = 1024 * 1024

/** For less a copy costs nothing, and one call can take in what follows too. */
const ROOM_LEAST_BYTES = 64 * 1024

type Wish = { readonly target: Uint8Array; filled: number; readonly use: () => void }

/**
 * Bytes as they come from a socket, put where they are wished for. Whoever wishes gives the memory and what to do
 * when it is full; that may wish again at once, so that what follows goes straight to where it belongs.
 */
export class ByteIntake {
  #wish: Wish | null = null
  /** Came before it was wished for. */
  #backlog: Uint8Array = new Uint8Array()
  #failure: Error | null = null
  #onFailure: ((error: Error) => void) | null = null

  /** True when something came that nobody wished for yet. */
  get hasBacklog(): boolean {
    return this.#backlog.byteLength > 0
  }

  /** Calls `use` as soon as `target` is full, perhaps before it returns. */
  expect(target: Uint8Array, use: () => void): void {
    assert(this.#wish === null)
    if (target.byteLength === 0) {
      use()
      return
    }
    this.#wish = { target, filled: 0, use }
    if (this.#backlog.byteLength === 0) return
    const backlog = this.#backlog
    this.#backlog = new Uint8Array()
    this.push(backlog)
  }

  /**
   * The rest of a large wish, for who receives bytes to put them there at once and then to `push()` just that memory;
   * null when little or nothing is wished for.
   */
  get room(): Uint8Array | null {
    const wish = this.#wish
    if (wish === null || wish.target.byteLength - wish.filled < ROOM_LEAST_BYTES) return null
    return wish.target.subarray(wish.filled)
  }

  async read(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    await new Promise<void>((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure)
        return
      }
      this.#onFailure = reject
      this.expect(bytes, resolve)
    })
    this.#onFailure = null
    return bytes
  }

  /** Takes in what came. What `use` throws comes out here. Throws RangeError when nobody wished for so much. */
  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.byteLength) {
      const wish = this.#wish
      if (wish === null) return this.#keep(chunk.subarray(at))
      const count = Math.min(chunk.byteLength - at, wish.target.byteLength - wish.filled)
      if (!isInPlace(chunk, wish)) wish.target.set(chunk.subarray(at, at + count), wish.filled)
      wish.filled += count
      at += count
      if (wish.filled < wish.target.byteLength) return
      this.#wish = null
      wish.use()
    }
  }

  /** Nothing more will come. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#onFailure?.(this.#failure)
  }

  #keep(rest: Uint8Array): void {
    const length = this.#backlog.byteLength + rest.byteLength
    if (length > BACKLOG_MAX_BYTES) throw new RangeError(`found ${length} bytes that nobody asked for`)
    const joined = new Uint8Array(length)
    joined.set(this.#backlog)
    joined.set(rest, this.#backlog.byteLength)
    this.#backlog = joined
  }
}

function isInPlace(chunk: Uint8Array, { target, filled }: Wish): boolean {
  return chunk.buffer === target.buffer && chunk.byteOffset === target.byteOffset + filled
}
