import { crc32c } from './crc32c.ts'

/** Changes of at most 2^10 words' distance. */
const DISTANCE_BITS = 10

/** The tables that move a remainder on by 2^`bit` words of zeros: one for each of its four bytes, one after the other. */
const MOVES: readonly Int32Array[] = makeMoves()

/**
 * The CRC-32C of bytes that differ in few words from others, from theirs, without reading either: it is linear, so that
 * the difference has a checksum of its own, which is the difference of the two.
 *
 *     const change = new Crc32cChange()
 *     change.add(wordIndex, before ^ after)      ascending, for each little-endian 32-bit word that differs
 *     crcAfter = change.applyTo(crcBefore, wordCount)
 */
export class Crc32cChange {
  #remainder = 0
  #wordIndex = 0

  add(wordIndex: number, difference: number): void {
    this.#remainder = moved(this.#remainder, wordIndex - this.#wordIndex) ^ difference
    this.#wordIndex = wordIndex
  }

  /** `crc` is of the bytes before the change, which have `wordCount` words, at most 1024. */
  applyTo(crc: number, wordCount: number): number {
    return (crc ^ moved(this.#remainder, wordCount - this.#wordIndex)) >>> 0
  }
}

function moved(remainder: number, wordCount: number): number {
  let result = remainder
  for (let bit = 0; bit <= DISTANCE_BITS && result !== 0; bit += 1) {
    const table = MOVES[bit]
    if ((wordCount & (1 << bit)) !== 0 && table !== undefined) result = lookUp(table, result)
  }
  return result
}

function lookUp(table: Int32Array, remainder: number): number {
  return (
    (table[remainder & 0xff] ?? 0) ^
    (table[256 | ((remainder >>> 8) & 0xff)] ?? 0) ^
    (table[512 | ((remainder >>> 16) & 0xff)] ?? 0) ^
    (table[768 | (remainder >>> 24)] ?? 0)
  )
}

function makeMoves(): Int32Array[] {
  // The checksum begins and ends with an inversion; the difference of two has none.
  const ofZeros = crc32c(new Uint8Array(4))
  const bytes = new Uint8Array(4)
  const view = new DataView(bytes.buffer)
  let table = Int32Array.from({ length: 1024 }, (_, index) => {
    view.setUint32(0, (index & 0xff) << (8 * (index >>> 8)), true)
    return crc32c(bytes) ^ ofZeros
  })
  const moves = [table]
  for (let bit = 1; bit <= DISTANCE_BITS; bit += 1) {
    const shorter = table
    table = shorter.map((remainder) => lookUp(shorter, remainder))
    moves.push(table)
  }
  return moves
}
