import assert from 'node:assert/strict'
import type { TlsMaterial } from './tls-material.ts'

/** Certificates of a few KiB, and a list of revoked ones of at most 1 MiB, in PEM. What is not used takes no memory. */
const TEXT_BYTES_MAX = 4 * 1024 * 1024
const HEADER_BYTES = 8
/** In the header: odd while somebody writes, another number after that; and how long the text is. */
const VERSION = 0
const LENGTH = 1

/** What all threads of a mover show of themselves: one of them puts there what it has made, the others take it. */
export class SharedTls {
  readonly memory: SharedArrayBuffer
  readonly #header: Int32Array
  readonly #text: Uint8Array

  /** With the memory of another thread's it is the same one. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(HEADER_BYTES + TEXT_BYTES_MAX)) {
    assert(memory.byteLength === HEADER_BYTES + TEXT_BYTES_MAX)
    this.memory = memory
    this.#header = new Int32Array(memory, 0, 2)
    this.#text = new Uint8Array(memory, HEADER_BYTES)
  }

  /** By one thread only. */
  put(tls: TlsMaterial): void {
    const text = Buffer.from(JSON.stringify(tls))
    assert(text.byteLength <= TEXT_BYTES_MAX)
    Atomics.add(this.#header, VERSION, 1)
    this.#text.set(text)
    Atomics.store(this.#header, LENGTH, text.byteLength)
    Atomics.add(this.#header, VERSION, 1)
  }

  take(): TlsMaterial {
    for (;;) {
      const version = Atomics.load(this.#header, VERSION)
      const text = this.#text.slice(0, Atomics.load(this.#header, LENGTH))
      // What is copied takes less than a moment: nobody has to wait to be woken.
      if (version % 2 !== 0 || Atomics.load(this.#header, VERSION) !== version) continue
      assert(version > 0)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is our own, put there by `put()`
      return JSON.parse(Buffer.from(text).toString()) as TlsMaterial
    }
  }
}
