// The grammar of LVM's text format:
//
//   section = { name ( "{" section "}" | "=" value ) }
//   value   = scalar | "[" [ scalar { "," scalar } [ "," ] ] "]"
//   scalar  = number | string
import { FormatError } from '../format-error.ts'
import { TextSection, type TextScalar, type TextValue } from './text-section.ts'
import { TextTokens, type TextPlace, type Token } from './text-tokens.ts'

/** LVM nests six sections at most. */
const DEPTH_MAX = 16
/** A group of ten thousand volumes has half a million values; each costs some hundred bytes of memory. */
const VALUE_COUNT_MAX = 4_000_000
const NUMBER = /^[+-]?[0-9]+(?:\.[0-9]*)?$/

/** Parses a whole text. Throws FormatError with the place of the first thing that is wrong. */
export function parseText(bytes: Uint8Array, place: TextPlace): TextSection {
  return new TextParser(bytes, place).parse()
}

class TextParser {
  readonly #tokens: TextTokens
  readonly #place: TextPlace
  #token: Token
  #valueCount = 0

  constructor(bytes: Uint8Array, place: TextPlace) {
    this.#tokens = new TextTokens(bytes, place)
    this.#place = place
    this.#token = this.#tokens.next()
  }

  parse(): TextSection {
    const top = this.#section('', 0)
    if (this.#token.kind !== 'end') throw this.#unexpected('a name')
    return top
  }

  /** Up to the closing brace, which stays, or the end. */
  #section(path: string, depth: number): TextSection {
    const section = new TextSection(path, this.#token.position, this.#place)
    for (;;) {
      const token = this.#token
      if (token.kind === 'end' || token.kind === 'symbol') return section
      const name = token.kind === 'word' ? token.word : token.value
      this.#advance()
      const { position } = this.#token
      this.#count(position)
      if (this.#isSymbol('{')) {
        if (depth === DEPTH_MAX) throw this.#damage(`sections lie more than ${DEPTH_MAX} deep in another`)
        this.#advance()
        const inner = this.#section(path === '' ? name : `${path}/${name}`, depth + 1)
        this.#expect('}')
        section.add(name, { kind: 'section', position: token.position, section: inner })
      } else {
        this.#expect('=')
        section.add(name, this.#value())
      }
    }
  }

  #value(): TextValue {
    if (!this.#isSymbol('[')) return this.#scalar()
    const { position } = this.#token
    const items: TextScalar[] = []
    this.#advance()
    while (!this.#isSymbol(']')) {
      items.push(this.#scalar())
      if (this.#isSymbol(']')) break
      this.#expect(',')
    }
    this.#advance()
    return { kind: 'array', position, items }
  }

  #scalar(): TextScalar {
    const token = this.#token
    this.#count(token.position)
    if (token.kind === 'string') {
      this.#advance()
      return { kind: 'string', position: token.position, value: token.value }
    }
    if (token.kind === 'word' && NUMBER.test(token.word)) {
      this.#advance()
      return { kind: 'number', position: token.position, value: Number(token.word) }
    }
    throw this.#unexpected('a number or a string')
  }

  #advance(): void {
    this.#token = this.#tokens.next()
  }

  #isSymbol(symbol: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.symbol === symbol
  }

  #expect(symbol: string): void {
    if (!this.#isSymbol(symbol)) throw this.#unexpected(`"${symbol}"`)
    this.#advance()
  }

  #count(position: number): void {
    this.#valueCount += 1
    if (this.#valueCount <= VALUE_COUNT_MAX) return
    throw new FormatError(this.#place(position), `there are more than ${VALUE_COUNT_MAX} values`)
  }

  #unexpected(expected: string): FormatError {
    return this.#damage(`found ${describe(this.#token)}, expected ${expected}`)
  }

  #damage(found: string): FormatError {
    return new FormatError(this.#place(this.#token.position), found)
  }
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'symbol':
      return `"${token.symbol}"`
    case 'word':
      return `"${token.word.slice(0, 40)}"`
    case 'string':
      return 'a string'
    case 'end':
      return 'the end of the text'
  }
}
