const KEY_WORDS = 3
const SLOT_WORDS = KEY_WORDS + 1
const LOAD_MAX = 0.7
const GROWTH = 1.5
const SLOTS_MIN = 64

/**
 * Numbers by id, outside the heap: 23 bytes for each at the load it is made for. A slot keeps 95 bits of the id;
 * ids are outputs of SHA-256 (or of HMAC), so that even at 2^32 ids the chance of a confusion is below 2^-30.
 * An id may have several numbers. Open addressing with linear probing; a first word of zero is an empty slot.
 */
export class IdTable {
  #words: Int32Array
  #slotCount: number
  #size = 0

  /** Makes room for `capacity` pairs; more may come. */
  constructor(capacity = 0) {
    this.#slotCount = Math.ceil(capacity / LOAD_MAX) + SLOTS_MIN
    this.#words = new Int32Array(this.#slotCount * SLOT_WORDS)
  }

  /** Pairs of an id and a number. */
  get size(): number {
    return this.#size
  }

  /** Adds a pair, unless it is there already; `value` is a 32-bit integer. */
  add(id: Uint8Array, value: number): void {
    if (this.#size + 1 > this.#slotCount * LOAD_MAX) this.#grow()
    this.#insert([wordAt(id, 0) | 1, wordAt(id, 4), wordAt(id, 8)], value)
  }

  /** A slot that holds a number of `id`, or -1; pass the slot before to get the next one. */
  find(id: Uint8Array, after = -1): number {
    const first = wordAt(id, 0) | 1
    const second = wordAt(id, 4)
    const third = wordAt(id, 8)
    let slot = after < 0 ? this.#home(third) : this.#next(after)
    while (this.#words[slot * SLOT_WORDS] !== 0) {
      const at = slot * SLOT_WORDS
      const isSame =
        this.#words[at] === first && this.#words[at + 1] === second && this.#words[at + 2] === third
      if (isSame) return slot
      slot = this.#next(slot)
    }
    return -1
  }

  valueAt(slot: number): number {
    return this.#words[slot * SLOT_WORDS + KEY_WORDS] ?? 0
  }

  has(id: Uint8Array, value: number): boolean {
    for (let slot = this.find(id); slot >= 0; slot = this.find(id, slot)) {
      if (this.valueAt(slot) === value) return true
    }
    return false
  }

  #insert(key: readonly [number, number, number], value: number): void {
    const words = this.#words
    let slot = this.#home(key[2])
    while (words[slot * SLOT_WORDS] !== 0) {
      const at = slot * SLOT_WORDS
      const isSame = words[at] === key[0] && words[at + 1] === key[1] && words[at + 2] === key[2]
      if (isSame && words[at + KEY_WORDS] === value) return
      slot = this.#next(slot)
    }
    words.set(key, slot * SLOT_WORDS)
    words[slot * SLOT_WORDS + KEY_WORDS] = value
    this.#size += 1
  }

  #home(word: number): number {
    return Math.floor(((word >>> 0) / 2 ** 32) * this.#slotCount)
  }

  #next(slot: number): number {
    return slot + 1 === this.#slotCount ? 0 : slot + 1
  }

  #grow(): void {
    const before = this.#words
    this.#slotCount = Math.ceil(this.#slotCount * GROWTH)
    this.#words = new Int32Array(this.#slotCount * SLOT_WORDS)
    this.#size = 0
    for (let at = 0; at < before.length; at += SLOT_WORDS) {
      const first = before[at] ?? 0
      if (first === 0) continue
      this.#insert([first, before[at + 1] ?? 0, before[at + 2] ?? 0], before[at + KEY_WORDS] ?? 0)
    }
  }
}

function wordAt(id: Uint8Array, at: number): number {
  return (id[at] ?? 0) | ((id[at + 1] ?? 0) << 8) | ((id[at + 2] ?? 0) << 16) | ((id[at + 3] ?? 0) << 24)
}
