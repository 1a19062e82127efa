const SLOT_WORDS = 4
/** Slots for each chunk: at this load a look-up takes two steps on average, and a chunk takes 23 bytes. */
const LOAD_MAX = 0.7
/** At that load a chain of this length does not occur; where the table is too small for the image it does. */
const STEPS_MAX = 128
/** 4 GiB of address space: 187 million chunks. */
const SLOTS_MAX = 2 ** 28

/**
 * The ids that this run has stored or is storing, in memory that all lanes share: the first to claim an id
 * stores the chunk, the others reuse it. A slot keeps 126 bits of the id; ids are outputs of SHA-256 (or of
 * HMAC), so that even at 2^32 chunks the chance of a confusion is below 2^-60.
 *
 * Open addressing with linear probing. The first word of a slot is claimed by compare-and-exchange; the last is
 * written last and is never zero, so a reader that sees the first word waits for the last.
 */
export class KnownChunks {
  readonly #words: Int32Array
  readonly #slotCount: number

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
    this.#slotCount = this.#words.length / SLOT_WORDS
  }

  /**
   * Memory for up to `chunkCountMax` ids; the system gives pages only as they are used. A run that stores more new
   * chunks than the largest table holds may store some of them twice.
   */
  static allocate(chunkCountMax: number): SharedArrayBuffer {
    const slotCount = Math.min(SLOTS_MAX, Math.ceil(chunkCountMax / LOAD_MAX) + STEPS_MAX)
    return new SharedArrayBuffer(slotCount * SLOT_WORDS * 4)
  }

  /**
   * True when the caller is the first to claim the id, and is therefore the one to store it; also when the table
   * has no room for it, for to store a chunk twice costs space and to forget one costs data.
   */
  claim(id: Uint8Array): boolean {
    const view = new DataView(id.buffer, id.byteOffset, 32)
    const first = view.getInt32(0, true) | 1
    const last = view.getInt32(12, true) | 1
    const middle = [view.getInt32(4, true), view.getInt32(8, true)] as const
    let slot = Math.floor((view.getUint32(16, true) / 2 ** 32) * this.#slotCount)
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const at = slot * SLOT_WORDS
      const found = Atomics.compareExchange(this.#words, at, 0, first)
      if (found === 0) {
        this.#words[at + 1] = middle[0]
        this.#words[at + 2] = middle[1]
        Atomics.store(this.#words, at + 3, last)
        return true
      }
      if (found === first && this.#isSame(at, { middle, last })) return false
      slot = slot + 1 === this.#slotCount ? 0 : slot + 1
    }
    return true
  }

  #isSame(at: number, id: { readonly middle: readonly [number, number]; readonly last: number }): boolean {
    let last = Atomics.load(this.#words, at + 3)
    while (last === 0) last = Atomics.load(this.#words, at + 3)
    return last === id.last && this.#words[at + 1] === id.middle[0] && this.#words[at + 2] === id.middle[1]
  }
}
