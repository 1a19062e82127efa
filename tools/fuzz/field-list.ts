import type { Layout } from '../../src/bytes/struct.ts'
import type { Field } from './structure.ts'

type Width = Field['width']

/** Of a list of many of the same: the first ones, some in the middle, and the last ones, which have the borders. */
const FIRST_COUNT = 3
const MIDDLE_COUNT = 4
const LAST_COUNT = 3

/** Collects where the numbers of a structure are. */
export class FieldList {
  readonly fields: Field[] = []
  readonly #isLittle: boolean

  constructor(byteOrder: 'little' | 'big') {
    this.#isLittle = byteOrder === 'little'
  }

  /** Fields of one width by their names. */
  add(width: Width, places: Readonly<Record<string, number>>, start = 0): this {
    for (const [name, at] of Object.entries(places)) {
      this.fields.push({ name, at: start + at, width, isLittle: this.#isLittle })
    }
    return this
  }

  /** The integers of a layout. */
  addLayout(layout: Layout, start = 0): this {
    for (const [name, [offset, type]] of Object.entries(layout)) {
      if (typeof type !== 'string') continue
      const width = WIDTHS[type.slice(1).replace(/[a-z]+$/, '')]
      if (width === undefined) throw new TypeError(`type ${type} is not known`)
      this.fields.push({ name, at: start + offset, width, isLittle: type.endsWith('le') })
    }
    return this
  }

  /** Numbers of one width, one behind the other, all of one name. */
  addRow(name: string, { at, width, count }: { at: number; width: Width; count: number }): this {
    for (const index of someOf(count)) this.add(width, { [name]: at + index * width })
    return this
  }

  all(): readonly Field[] {
    return this.fields
  }
}

const WIDTHS: Readonly<Record<string, Width>> = { '8': 1, '16': 2, '32': 4, '64': 8 }

/** Indexes of some of so many. */
export function someOf(count: number): readonly number[] {
  if (count <= FIRST_COUNT + MIDDLE_COUNT + LAST_COUNT)
    return Array.from({ length: count }, (_, index) => index)
  const middle = Math.floor(count / 2)
  const indexes = new Set<number>()
  for (let index = 0; index < FIRST_COUNT; index += 1) indexes.add(index)
  for (let index = 0; index < MIDDLE_COUNT; index += 1) indexes.add(middle + index - MIDDLE_COUNT / 2)
  for (let index = 0; index < LAST_COUNT; index += 1) indexes.add(count - 1 - index)
  return [...indexes].filter((index) => index >= 0 && index < count).toSorted((a, b) => a - b)
}
