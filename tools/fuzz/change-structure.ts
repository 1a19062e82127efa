import type { Randomness } from '../../src/domain/randomness.ts'
import { changeText } from './change-text.ts'
import { border, oddValue, pointer, readField, writeField, type Around } from './field-value.ts'
import type { Field } from './structure.ts'

/** Changes the bytes of a structure in one way. */
export function changeOnce(bytes: Uint8Array, around: Around): void {
  const { random, structure } = around
  const { grammar, fields } = structure
  if (grammar === 'text' && random.below(8) > 0) {
    changeText(bytes, random)
    return
  }
  if (grammar === 'varints' && random.below(4) > 0) {
    changeVarint(bytes, random)
    return
  }
  if (fields.length === 0 || random.below(4) === 0) changeAnything(bytes, around)
  else changeField(bytes, around)
}

/** By name first: a count is one field, what it counts may be a thousand. */
function changeField(bytes: Uint8Array, around: Around): void {
  const { random, structure } = around
  const names = [...new Set(structure.fields.map(({ name }) => name))]
  const name = names[random.below(names.length)]
  const named = structure.fields.filter((each) => each.name === name)
  const field = named[random.below(named.length)]
  if (field === undefined) return
  const other = named[random.below(named.length)]
  if (other !== undefined && other !== field && random.below(6) === 0) swapFields(bytes, field, other)
  else writeField(bytes, field, oddValue(bytes, field, around))
}

function swapFields(bytes: Uint8Array, one: Field, other: Field): void {
  const [first, second] = [readField(bytes, one), readField(bytes, other)]
  writeField(bytes, one, second)
  writeField(bytes, other, first)
}

const VARINT_BYTES_MAX = 10

/** What is a small number in one byte nearly always, becomes another, or a long one over what follows. */
function changeVarint(bytes: Uint8Array, random: Randomness): void {
  const at = random.below(bytes.byteLength)
  const old = bytes[at] ?? 0
  const values = [0, 1, 2, 0x7f, 0x80, 0xff, old + 1, old - 1, old ^ 1, old * 2, old ^ 0x80]
  bytes[at] = (values[random.below(values.length)] ?? 0) & 0xff
  if (random.below(4) > 0) return
  const end = Math.min(bytes.byteLength - 1, at + 1 + random.below(VARINT_BYTES_MAX))
  bytes.fill(0xff, at, end)
  bytes[end] = random.below(0x80)
}

function changeAnything(bytes: Uint8Array, around: Around): void {
  const { random } = around
  switch (random.below(8)) {
    case 0:
      flipBits(bytes, random)
      break
    case 1:
    case 2:
      copyOver(bytes, around)
      break
    case 3:
    case 4:
      copyWithin(bytes, random)
      break
    case 5:
      bytes.fill(random.below(2) * 0xff, placeIn(bytes, random), placeIn(bytes, random))
      break
    default:
      writeAnywhere(bytes, random.below(2) === 0 ? pointer(around) : border(around), random)
  }
}

/** Mostly where something is: fields that are zero are often not looked at. */
function placeIn(bytes: Uint8Array, random: Randomness): number {
  for (let attempt = 0; attempt < 8; attempt += 1) {
    // The beginning has the fields; the rest is often a list of many of the same.
    const end = random.below(2) === 0 ? Math.min(128, bytes.byteLength) : bytes.byteLength
    const at = random.below(end)
    if (bytes[at] !== 0) return at
  }
  return random.below(bytes.byteLength)
}

function flipBits(bytes: Uint8Array, random: Randomness): void {
  const count = 1 + random.below(8)
  for (let index = 0; index < count; index += 1) {
    const at = placeIn(bytes, random)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
  }
}

/** Another structure, mostly of the same kind, over it or over a part of it. */
function copyOver(bytes: Uint8Array, { ofKind, structures, copies, random }: Around): void {
  const from = random.below(4) === 0 ? structures : ofKind
  const other = from[random.below(from.length)]
  const image = copies[other?.image ?? 0]
  if (other === undefined || image === undefined) return
  const source = image.read(other.offset, Math.min(other.length, bytes.byteLength))
  const start = random.below(2) === 0 ? 0 : placeIn(source, random)
  bytes.set(source.subarray(start, start + (random.below(2) === 0 ? 64 : source.byteLength)), start)
}

const WIDTHS = [1, 2, 4, 8] as const

function copyWithin(bytes: Uint8Array, random: Randomness): void {
  const width = WIDTHS[random.below(4)] ?? 4
  const [from, to] = [aligned(bytes, width, random), aligned(bytes, width, random)]
  bytes.copyWithin(to, from, from + width * (1 + random.below(8)))
}

function aligned(bytes: Uint8Array, width: number, random: Randomness): number {
  const at = placeIn(bytes, random)
  return Math.min(at - (at % width), Math.max(0, bytes.byteLength - width))
}

function writeAnywhere(bytes: Uint8Array, value: bigint, random: Randomness): void {
  const width = WIDTHS[random.below(4)] ?? 4
  if (bytes.byteLength < width) return
  writeField(bytes, { at: aligned(bytes, width, random), width, isLittle: random.below(2) === 0 }, value)
}
