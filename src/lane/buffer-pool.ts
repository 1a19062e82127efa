import assert from 'node:assert/strict'

/** A few buffers that are handed out in the order in which they were asked for. */
export class BufferPool {
  readonly #free: Uint8Array[]
  readonly #waiting: ((buffer: Uint8Array) => void)[] = []

  constructor(buffers: readonly Uint8Array[]) {
    assert(buffers.length > 0)
    this.#free = [...buffers]
  }

  async acquire(): Promise<Uint8Array> {
    const buffer = this.#free.pop()
    if (buffer !== undefined) return buffer
    return await new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  release(buffer: Uint8Array): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(buffer)
    else next(buffer)
  }
}
