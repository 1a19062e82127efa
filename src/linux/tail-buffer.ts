/** Keeps the last bytes of what a program writes, however much that is. */
export class TailBuffer {
  readonly #sizeMax: number
  #pieces: Uint8Array[] = []
  #heldBytes = 0
  #lost = false

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  /** True when there was more than is kept. */
  get isCut(): boolean {
    return this.#lost || this.#heldBytes > this.#sizeMax
  }

  add(piece: Uint8Array): void {
    // A copy of the end of a piece, because a part of it would keep all of it alive.
    this.#pieces.push(piece.byteLength > this.#sizeMax ? piece.slice(-this.#sizeMax) : piece)
    this.#lost ||= piece.byteLength > this.#sizeMax
    this.#heldBytes += Math.min(piece.byteLength, this.#sizeMax)
    // Now and then only: to join at every piece would copy everything for each line.
    if (this.#heldBytes > 2 * this.#sizeMax || this.#pieces.length > 1024) this.#join()
  }

  /** As UTF-8; a character that was cut is left out. */
  text(): string {
    this.#join()
    const bytes = this.#pieces[0] ?? new Uint8Array(0)
    let start = 0
    while (this.#lost && start < Math.min(3, bytes.byteLength) && isContinuation(bytes[start])) start += 1
    return new TextDecoder().decode(bytes.subarray(start))
  }

  #join(): void {
    const all = Buffer.concat(this.#pieces)
    this.#lost ||= all.byteLength > this.#sizeMax
    const kept = all.byteLength > this.#sizeMax ? all.subarray(-this.#sizeMax) : all
    this.#pieces = [Uint8Array.from(kept)]
    this.#heldBytes = kept.byteLength
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
