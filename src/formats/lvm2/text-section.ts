import { FormatError, type StructurePlace } from '../format-error.ts'
import type { TextPlace } from './text-tokens.ts'

export type TextScalar =
  | { readonly kind: 'string'; readonly position: number; readonly value: string }
  /** Also numbers that are too large, or not whole: who wants one checks it. */
  | { readonly kind: 'number'; readonly position: number; readonly value: number }

export type TextValue =
  | TextScalar
  | { readonly kind: 'array'; readonly position: number; readonly items: readonly TextScalar[] }
  | { readonly kind: 'section'; readonly position: number; readonly section: TextSection }

export type IntegerLimits = { readonly min?: number; readonly max?: number }

/** A section of a text: named values. Asked for what is missing or of another kind, it throws FormatError. */
export class TextSection {
  /** The path from the top, for sentences; empty at the top. */
  readonly path: string
  readonly position: number
  readonly #place: TextPlace
  readonly #values = new Map<string, TextValue>()

  constructor(path: string, position: number, place: TextPlace) {
    this.path = path
    this.position = position
    this.#place = place
  }

  add(name: string, value: TextValue): void {
    if (this.#values.has(name))
      throw this.damageAt(value.position, `there is a second "${this.#named(name)}"`)
    this.#values.set(name, value)
  }

  get values(): ReadonlyMap<string, TextValue> {
    return this.#values
  }

  /** The sections in this one, in their order. */
  get sections(): readonly (readonly [name: string, section: TextSection])[] {
    return [...this.#values].flatMap(([name, value]) =>
      value.kind === 'section' ? [[name, value.section] as const] : [],
    )
  }

  findSection(name: string): TextSection | null {
    const value = this.#values.get(name)
    if (value === undefined) return null
    if (value.kind !== 'section') throw this.#wrongKind(name, value, 'a section')
    return value.section
  }

  findString(name: string): string | null {
    const value = this.#values.get(name)
    if (value === undefined) return null
    if (value.kind !== 'string') throw this.#wrongKind(name, value, 'a string')
    return value.value
  }

  string(name: string): string {
    const value = this.findString(name)
    if (value === null) throw this.#missing(name)
    return value
  }

  /** A whole number of at least 0, or within other limits. */
  findInteger(name: string, limits: IntegerLimits = {}): number | null {
    const value = this.#values.get(name)
    if (value === undefined) return null
    return this.asInteger(name, value, limits)
  }

  integer(name: string, limits: IntegerLimits = {}): number {
    const value = this.findInteger(name, limits)
    if (value === null) throw this.#missing(name)
    return value
  }

  asInteger(name: string, value: TextValue, limits: IntegerLimits = {}): number {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = limits
    if (value.kind !== 'number') throw this.#wrongKind(name, value, 'a number')
    if (Number.isSafeInteger(value.value) && value.value >= min && value.value <= max) return value.value
    throw this.damageAt(
      value.position,
      `"${this.#named(name)}" is ${value.value}, expected a whole number of ${min} to ${max}`,
    )
  }

  /** Empty where there is no such array. A string alone is an array of one. */
  findArray(name: string): readonly TextScalar[] {
    const value = this.#values.get(name)
    if (value === undefined) return []
    if (value.kind === 'section') throw this.#wrongKind(name, value, 'an array')
    return value.kind === 'array' ? value.items : [value]
  }

  findStrings(name: string): readonly string[] {
    return this.findArray(name).map((item) => {
      if (item.kind !== 'string') throw this.#wrongKind(name, item, 'an array of strings')
      return item.value
    })
  }

  /** An error at this section. */
  damage(found: string): FormatError {
    return this.damageAt(this.position, found)
  }

  damageAt(position: number, found: string): FormatError {
    return new FormatError(this.placeOf(position), found)
  }

  placeOf(position: number): StructurePlace {
    return this.#place(position)
  }

  #named(name: string): string {
    return this.path === '' ? name : `${this.path}/${name}`
  }

  #missing(name: string): FormatError {
    return this.damage(`"${this.#named(name)}" is missing`)
  }

  #wrongKind(name: string, value: TextValue, expected: string): FormatError {
    const found = value.kind === 'array' ? 'an array' : `a ${value.kind}`
    return this.damageAt(value.position, `"${this.#named(name)}" is ${found}, expected ${expected}`)
  }
}
