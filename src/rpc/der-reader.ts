import { DerTag } from './der-writer.ts'

/** What is not what it should be, as half a sentence: the reader's caller says of what. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

export type DerItem = {
  readonly tag: number
  readonly content: Uint8Array
  /** With tag and length: what is signed, or copied as it is. */
  readonly whole: Uint8Array
}

const LENGTH_BYTES_MAX = 3

/** Reads items one after the other, strictly: one way to write a thing, nothing that is not looked at. */
export class DerReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The tag of the next item; null at the end. */
  get nextTag(): number | null {
    return this.#bytes[this.#offset] ?? null
  }

  /** The next item, which must have this tag. Throws DerError. */
  take(tag: number, what: string): DerItem {
    const begin = this.#offset
    if (this.nextTag === null) throw new DerError(`it ends before ${what}`)
    if (this.nextTag !== tag) {
      throw new DerError(`${what} has tag ${hex(this.nextTag)}, required is ${hex(tag)}`)
    }
    const { length, headBytes } = this.#lengthAt(begin + 1, what)
    const contentAt = begin + 1 + headBytes
    const end = contentAt + length
    if (end > this.#bytes.length) {
      throw new DerError(
        `${what} is ${length} bytes long, and ${this.#bytes.length - contentAt} bytes are left`,
      )
    }
    this.#offset = end
    return {
      tag,
      content: this.#bytes.subarray(contentAt, end),
      whole: this.#bytes.subarray(begin, end),
    }
  }

  /** The items inside of the next one. */
  enter(tag: number, what: string): DerReader {
    return new DerReader(this.take(tag, what).content)
  }

  /** Skips the next item if it has this tag, and gives it. */
  takeIf(tag: number, what: string): DerItem | null {
    return this.nextTag === tag ? this.take(tag, what) : null
  }

  /** Throws DerError when something follows. */
  end(what: string): void {
    const left = this.#bytes.length - this.#offset
    if (left > 0) throw new DerError(`${left} bytes follow ${what}`)
  }

  #lengthAt(offset: number, what: string): { readonly length: number; readonly headBytes: number } {
    const first = this.#bytes[offset]
    if (first === undefined) throw new DerError(`it ends in the length of ${what}`)
    if (first < 0x80) return { length: first, headBytes: 1 }
    const count = first & 0x7f
    const digits = this.#bytes.subarray(offset + 1, offset + 1 + count)
    if (count === 0 || count > LENGTH_BYTES_MAX || digits.length < count) {
      throw new DerError(`the length of ${what} is written in ${count} bytes, or is cut off`)
    }
    const length = digits.reduce((sum, digit) => sum * 256 + digit, 0)
    if (length < 0x80 || digits[0] === 0)
      throw new DerError(`the length of ${what} is longer than it need be`)
    return { length, headBytes: 1 + count }
  }
}

/** The bytes of a bit string whose bits are all used: a signature. */
export function wholeBits(item: DerItem, what: string): Uint8Array {
  if (item.content[0] !== 0) throw new DerError(`${what} does not end at a whole byte`)
  return item.content.subarray(1)
}

/** Milliseconds since 1970 of what `derTime()` writes. Throws DerError. */
export function takeTime(reader: DerReader, what: string): number {
  const isShort = reader.nextTag === DerTag.UtcTime
  const { content } = reader.take(isShort ? DerTag.UtcTime : DerTag.GeneralizedTime, what)
  const text = Buffer.from(content).toString('latin1')
  const parts = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (parts === null || (parts[1] === undefined) !== isShort) throw new DerError(`${what} is no time`)
  const [, century, year = '', month, day, hour, minute, second] = parts
  const fullYear = `${century ?? (Number(year) < 50 ? '20' : '19')}${year}`
  try {
    return Temporal.Instant.from(`${fullYear}-${month}-${day}T${hour}:${minute}:${second}Z`).epochMilliseconds
  } catch {
    throw new DerError(`${what} is no time`)
  }
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`
}
