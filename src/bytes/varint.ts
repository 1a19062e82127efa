// Integers of 1 to 8 bytes: LEB128, seven bits a byte, least significant first, the high bit set on all but the
// last byte (DWARF 5, section 7.6). Every value has one encoding: a reader refuses one that is longer than needed.
//
// A *tagged* varint carries a tag of a few bits below the value. It is the LEB128 of value * 2^bits + tag, computed
// without that product, which could leave the safe integers. A *signed* varint is tagged with its sign, which is
// the same as zigzag (0, -1, 1, -2, … are 0, 1, 2, 3, …).
import assert from 'node:assert/strict'

/** 8 bytes of 7 bits hold 53 bits of value and 3 of tag. */
const VARINT_BYTES_MAX = 8

/** `value` in the lowest `bits` (at most 3) of a varint. */
export type VarintTag = { readonly bits: number; readonly value: number }

const NO_TAG: VarintTag = { bits: 0, value: 0 }
const POSITIVE: VarintTag = { bits: 1, value: 0 }
const NEGATIVE: VarintTag = { bits: 1, value: 1 }

/** Appends varints, and bytes as they are, to a buffer that grows. */
export class VarintWriter {
  #bytes = new Uint8Array(4096)
  #length = 0

  /** How many bytes were written. */
  get length(): number {
    return this.#length
  }

  /** Appends a safe integer of at least 0. */
  writeUnsigned(value: number): void {
    this.writeTagged(value, NO_TAG)
  }

  /** Appends a safe integer. */
  writeSigned(value: number): void {
    if (value < 0) this.writeTagged(-value - 1, NEGATIVE)
    else this.writeTagged(value, POSITIVE)
  }

  /** Appends a safe integer of at least 0 with a tag below it. */
  writeTagged(value: number, tag: VarintTag): void {
    assert(Number.isSafeInteger(value) && value >= 0)
    this.#makeRoom(VARINT_BYTES_MAX)
    const valueBits = 7 - tag.bits
    let low = value & ((1 << valueBits) - 1)
    let rest = (value - low) / (1 << valueBits)
    let byte = (low << tag.bits) | tag.value
    while (rest > 0) {
      this.#bytes[this.#length++] = byte | 0x80
      low = rest & 0x7f
      rest = (rest - low) / 0x80
      byte = low
    }
    this.#bytes[this.#length++] = byte
  }

  /** Appends `bytes` as they are. */
  writeBytes(bytes: Uint8Array): void {
    this.#makeRoom(bytes.byteLength)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.byteLength
  }

  /** A copy of what was written; the writer is empty afterwards. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return taken
  }

  #makeRoom(sizeBytes: number): void {
    const needed = this.#length + sizeBytes
    if (needed <= this.#bytes.byteLength) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.byteLength))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

/** Reads varints, and bytes as they are, and never beyond the end. Every method throws SyntaxError on damage. */
export class VarintReader {
  readonly #bytes: Uint8Array
  #position = 0
  #tag = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Bytes from the start. */
  get position(): number {
    return this.#position
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.byteLength
  }

  /** The tag of the varint that was read last. */
  get tag(): number {
    return this.#tag
  }

  readUnsigned(): number {
    return this.readTagged(NO_TAG.bits)
  }

  readSigned(): number {
    const magnitude = this.readTagged(NEGATIVE.bits)
    return this.#tag === NEGATIVE.value ? -magnitude - 1 : magnitude
  }

  /** The value above a tag of `tagBits`; the tag itself is then `tag`. */
  readTagged(tagBits: number): number {
    const start = this.#position
    let byte = this.#readByte(start)
    this.#tag = byte & ((1 << tagBits) - 1)
    let value = (byte & 0x7f) >> tagBits
    let scale = 1 << (7 - tagBits)
    while (byte >= 0x80) {
      if (this.#position - start === VARINT_BYTES_MAX) {
        throw new SyntaxError(
          `Cannot read varint at byte ${start}: found more than ${VARINT_BYTES_MAX} bytes`,
        )
      }
      byte = this.#readByte(start)
      value += (byte & 0x7f) * scale
      scale *= 0x80
    }
    if (byte === 0 && this.#position - start > 1) {
      throw new SyntaxError(`Cannot read varint at byte ${start}: found a zero as its last byte`)
    }
    if (!Number.isSafeInteger(value)) {
      throw new SyntaxError(`Cannot read varint at byte ${start}: found ${value}, expected less than 2^53`)
    }
    return value
  }

  /** A copy of the next `length` bytes. */
  readBytes(length: number): Uint8Array {
    const available = this.#bytes.byteLength - this.#position
    if (length > available) {
      throw new SyntaxError(
        `Cannot read bytes at byte ${this.#position}: found ${available} bytes, expected ${length}`,
      )
    }
    this.#position += length
    return this.#bytes.slice(this.#position - length, this.#position)
  }

  #readByte(start: number): number {
    const byte = this.#bytes[this.#position]
    if (byte === undefined) {
      throw new SyntaxError(`Cannot read varint at byte ${start}: found the end, expected another byte`)
    }
    this.#position += 1
    return byte
  }
}
