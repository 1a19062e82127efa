// The words of LVM's text format. Reference: lvm.conf(5), "LVM SYNTAX".
import { FormatError, type StructurePlace } from '../format-error.ts'

/** Says where a byte of the text lies. */
export type TextPlace = (position: number) => StructurePlace

export type Token =
  | { readonly kind: 'symbol'; readonly position: number; readonly symbol: string }
  /** A name, a number, or anything else that is not in quotes. */
  | { readonly kind: 'word'; readonly position: number; readonly word: string }
  | { readonly kind: 'string'; readonly position: number; readonly value: string }
  | { readonly kind: 'end'; readonly position: number }

const NEWLINE = 0x0a
const DOUBLE_QUOTE = 0x22
const HASH = 0x23
const SINGLE_QUOTE = 0x27
const BACKSLASH = 0x5c
const SYMBOLS = bytesOf('{}[]=,')
const ENDS_OF_WORD = new Set([...SYMBOLS, ...bytesOf(' \t\n\v\f\r#"\''), 0])
const SPACES = bytesOf(' \t\n\v\f\r')

/** No name or number is longer; strings may be. */
const WORD_BYTES_MAX = 1024

function bytesOf(characters: string): ReadonlySet<number> {
  return new Set(new TextEncoder().encode(characters))
}

/** Cuts a text into tokens, one at a time. */
export class TextTokens {
  readonly #bytes: Uint8Array
  readonly #place: TextPlace
  readonly #decoder = new TextDecoder()
  #position = 0

  constructor(bytes: Uint8Array, place: TextPlace) {
    this.#bytes = bytes
    this.#place = place
  }

  next(): Token {
    this.#skipSpaceAndComments()
    const position = this.#position
    const byte = this.#bytes[position]
    if (byte === undefined) return { kind: 'end', position }
    if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) return this.#string(byte)
    if (SYMBOLS.has(byte)) {
      this.#position += 1
      return { kind: 'symbol', position, symbol: String.fromCharCode(byte) }
    }
    return this.#word()
  }

  #skipSpaceAndComments(): void {
    for (;;) {
      const byte = this.#bytes[this.#position]
      if (byte === HASH) {
        const end = this.#bytes.indexOf(NEWLINE, this.#position)
        this.#position = end === -1 ? this.#bytes.length : end + 1
      } else if (byte !== undefined && SPACES.has(byte)) {
        this.#position += 1
      } else {
        return
      }
    }
  }

  #word(): Token {
    const position = this.#position
    let end = position
    for (let byte = this.#bytes[end]; byte !== undefined && !ENDS_OF_WORD.has(byte);) {
      end += 1
      byte = this.#bytes[end]
    }
    if (end === position) throw new FormatError(this.#place(position), 'there is a byte of value 0')
    if (end - position > WORD_BYTES_MAX) {
      throw new FormatError(this.#place(position), `a word has more than ${WORD_BYTES_MAX} bytes`)
    }
    this.#position = end
    return { kind: 'word', position, word: this.#decoder.decode(this.#bytes.subarray(position, end)) }
  }

  /** In double quotes a backslash takes the next byte as it is; in single quotes nothing does. */
  #string(quote: number): Token {
    const position = this.#position
    const first = position + 1
    let end = first
    let hasEscapes = false
    for (;;) {
      const byte = this.#bytes[end]
      if (byte === quote) break
      if (byte === BACKSLASH && quote === DOUBLE_QUOTE) {
        hasEscapes = true
        end += 1
      }
      if (this.#bytes[end] === undefined) {
        throw new FormatError(this.#place(position), 'a string has no closing quote')
      }
      end += 1
    }
    this.#position = end + 1
    const raw = this.#decoder.decode(this.#bytes.subarray(first, end))
    return { kind: 'string', position, value: hasEscapes ? raw.replaceAll(/\\([^])/gu, '$1') : raw }
  }
}
