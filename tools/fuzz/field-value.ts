import type { Randomness } from '../../src/domain/randomness.ts'
import { pick } from './pick.ts'
import type { SparseBytes } from '../../test/support/sparse-bytes.ts'
import { viewOf, type Field, type Structure } from './structure.ts'

/** What a changed structure is among. */
export type Around = {
  readonly structure: Structure
  readonly ofKind: readonly Structure[]
  readonly structures: readonly Structure[]
  readonly copies: readonly SparseBytes[]
  readonly random: Randomness
}

export function readField(bytes: Uint8Array, { at, width, isLittle }: Field): bigint {
  const view = viewOf(bytes)
  if (width === 8) return view.getBigUint64(at, isLittle)
  if (width === 4) return BigInt(view.getUint32(at, isLittle))
  return BigInt(width === 2 ? view.getUint16(at, isLittle) : view.getUint8(at))
}

export function writeField(
  bytes: Uint8Array,
  { at, width, isLittle }: Omit<Field, 'name'>,
  value: bigint,
): void {
  const view = viewOf(bytes)
  const fitting = BigInt.asUintN(width * 8, value)
  if (width === 8) view.setBigUint64(at, fitting, isLittle)
  else if (width === 4) view.setUint32(at, Number(fitting), isLittle)
  else if (width === 2) view.setUint16(at, Number(fitting), isLittle)
  else view.setUint8(at, Number(fitting))
}

type ValueMaker = (bytes: Uint8Array, field: Field, around: Around) => bigint

/** A value that a field should not have, or that leads elsewhere: any of these. */
const MAKERS: readonly ValueMaker[] = [
  () => 0n,
  (_, field) => topOf(field) - 1n,
  (_, field, { random }) => pick([1n, 2n, 3n, 4n, topOf(field) - 2n], random),
  (bytes, field) => readField(bytes, field) + 1n,
  (bytes, field) => readField(bytes, field) - 1n,
  (bytes, field, { random }) => readField(bytes, field) ^ (1n << BigInt(random.below(field.width * 8))),
  (bytes, field, { random }) => scaled(readField(bytes, field), random),
  (_bytes, _field, around) => border(around),
  (_bytes, _field, around) => border(around),
  (_bytes, _field, around) => pointer(around),
  neighbour,
  (_, field, { random }) =>
    pick([topOf(field) / 2n, topOf(field) / 2n - 1n, (topOf(field) - 1n) / 3n], random),
  // Near the end of what the structure has room for, in bytes, and in records of the usual sizes.
  (_bytes, _field, { structure, random }) =>
    BigInt(Math.floor(structure.length / pick([1, 2, 4, 8, 12, 16], random))) + near(random),
]

export function oddValue(bytes: Uint8Array, field: Field, around: Around): bigint {
  return pick(MAKERS, around.random)(bytes, field, around)
}

/** The first number that does not fit. */
function topOf({ width }: Field): bigint {
  return 1n << BigInt(width * 8)
}

function scaled(old: bigint, random: Randomness): bigint {
  return pick([old * 2n, old / 2n, old + 8n, old - 8n, old << 4n], random)
}

/** What a field of the same name has, or any. */
function neighbour(bytes: Uint8Array, field: Field, { structure, random }: Around): bigint {
  const same = structure.fields.filter(({ name }) => name === field.name)
  return readField(bytes, pick(same.length > 1 && random.below(2) === 0 ? same : structure.fields, random))
}

/** The block of a structure: of this one, so that it points to itself, of one like it, or of any. */
export function pointer({ structure, ofKind, structures, random }: Around): bigint {
  const choices = [[structure], ofKind, structures][random.below(3)] ?? structures
  const { offset, blockBytes } = choices[random.below(choices.length)] ?? structure
  return BigInt(Math.floor(offset / blockBytes))
}

/** Sizes of things in the units that formats count in, and powers of two. */
export function border({ structure, copies, random }: Around): bigint {
  const size = BigInt(copies[structure.image]?.sizeBytes ?? 0)
  const power = 1n << BigInt(random.below(64))
  const values = [
    size,
    size / BigInt(structure.blockBytes),
    size / 512n,
    size / 65_536n,
    BigInt(structure.blockBytes),
    power,
    (1n << 63n) - 1n,
    (1n << 53n) - 1n,
  ]
  return (values[random.below(values.length)] ?? 0n) + near(random)
}

function near(random: Randomness): bigint {
  return BigInt(random.below(3) - 1)
}
