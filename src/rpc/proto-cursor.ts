const VARINT = 0
const FIXED_64 = 1
const LENGTH_DELIMITED = 2
const FIXED_32 = 5
/** Ten bytes hold 64 bits. */
const VARINT_BYTES_MAX = 10

/** Reads the bytes of one protobuf message, and nothing behind them. Throws SyntaxError. */
export class ProtoCursor {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length
  }

  /** Steps into a message that fills the rest behind its length. */
  enter(): void {
    const length = this.number()
    const rest = this.#bytes.length - this.#position
    if (length !== rest) throw new SyntaxError(`a message of ${length} bytes is in a field of ${rest}`)
  }

  /** A varint, at most 2^53 - 1. */
  number(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < VARINT_BYTES_MAX; count += 1) {
      const byte = this.#bytes[this.#position++]
      if (byte === undefined) throw new SyntaxError('a number ends before its last byte')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (Number.isSafeInteger(value)) return value
        throw new SyntaxError(`a number is more than ${Number.MAX_SAFE_INTEGER}`)
      }
      scale *= 128
    }
    throw new SyntaxError(`a number has more than ${VARINT_BYTES_MAX} bytes`)
  }

  /** The UTF-8 text of a field, behind its length; it fills the rest. */
  text(): string {
    this.enter()
    return new TextDecoder().decode(this.#bytes.subarray(this.#position))
  }

  /** A field that a newer version has. */
  skip(tag: number): void {
    const wireType = tag % 8
    if (wireType === VARINT) {
      // Of 64 bits, perhaps: its value is of no interest.
      while (((this.#bytes[this.#position++] ?? 0) & 0x80) !== 0) continue
    } else if (wireType === LENGTH_DELIMITED) {
      const length = this.number()
      this.#position += length
    } else if (wireType === FIXED_64) this.#position += 8
    else if (wireType === FIXED_32) this.#position += 4
    else throw new SyntaxError(`a field has wire type ${wireType}`)
    if (this.#position > this.#bytes.length) throw new SyntaxError('a field ends behind its message')
  }
}
