import type { Randomness } from '../../src/domain/randomness.ts'
import { SparseBytes } from '../../test/support/sparse-bytes.ts'
import { viewOf, type Structure } from './structure.ts'

const STRUCTURES_MAX = 4
const CHANGES_MAX = 6
const CUT_OFF_ONCE_IN = 25
const WIDTHS = [1, 2, 4, 8] as const

type Width = (typeof WIDTHS)[number]

/** Damages copies of images: some structures, each in some places, and mends their checksums but for one time in ten. */
export function mutate(
  images: readonly SparseBytes[],
  structures: readonly Structure[],
  random: Randomness,
): SparseBytes[] {
  const copies = images.map((image) => image.copy())
  const kinds = [...new Set(structures.map(({ kind }) => kind))]
  const count = 1 + random.below(STRUCTURES_MAX)
  for (let index = 0; index < count; index += 1) {
    // By kind first: there is one superblock, and a thousand inodes.
    const kind = kinds[random.below(kinds.length)]
    const ofKind = structures.filter((each) => each.kind === kind)
    const structure = ofKind[random.below(ofKind.length)]
    const image = copies[structure?.image ?? 0]
    if (structure === undefined || image === undefined) continue
    const bytes = image.read(structure.offset, structure.length)
    const changeCount = 1 + random.below(CHANGES_MAX)
    for (let change = 0; change < changeCount; change += 1) {
      changeOnce(bytes, { structure, ofKind, structures, copies, random })
    }
    image.write(bytes, structure.offset)
    if (random.below(10) > 0) structure.mend(copies)
  }
  return random.below(CUT_OFF_ONCE_IN) === 0 ? copies.map((each) => cutOff(each, random)) : copies
}

/** A disk that ends early: somewhere, or before its last sector. */
function cutOff(image: SparseBytes, random: Randomness): SparseBytes {
  const { sizeBytes, pages } = image
  return new SparseBytes(random.below(2) === 0 ? random.below(sizeBytes) : sizeBytes - 512, pages)
}

type Around = {
  readonly structure: Structure
  readonly ofKind: readonly Structure[]
  readonly structures: readonly Structure[]
  readonly copies: readonly SparseBytes[]
  readonly random: Randomness
}

function changeOnce(bytes: Uint8Array, around: Around): void {
  const { random, structure } = around
  if (structure.kind.startsWith('lvm2 text') && random.below(2) === 0) {
    changeNumber(bytes, random)
    return
  }
  switch (random.below(8)) {
    case 0:
      flipBits(bytes, random)
      break
    case 1:
      copyOver(bytes, around)
      break
    case 2:
      copyWithin(bytes, random)
      break
    case 3:
      bytes.fill(random.below(2) * 0xff, placeIn(bytes, random), placeIn(bytes, random))
      break
    case 4:
      writeField(bytes, pointer(around), random)
      break
    case 5:
      addToField(bytes, random)
      break
    default:
      writeField(bytes, boundary(around), random)
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

function copyWithin(bytes: Uint8Array, random: Randomness): void {
  const width = WIDTHS[random.below(4)] ?? 4
  const [from, to] = [aligned(bytes, width, random), aligned(bytes, width, random)]
  bytes.copyWithin(to, from, from + width * (1 + random.below(8)))
}

function aligned(bytes: Uint8Array, width: Width, random: Randomness): number {
  const at = placeIn(bytes, random)
  return Math.min(at - (at % width), Math.max(0, bytes.byteLength - width))
}

function writeField(bytes: Uint8Array, value: bigint, random: Randomness): void {
  const width = WIDTHS[random.below(4)] ?? 4
  if (bytes.byteLength >= width)
    setField(bytes, { at: aligned(bytes, width, random), width, value, isLittle: random.below(2) === 0 })
}

function addToField(bytes: Uint8Array, random: Randomness): void {
  const width = WIDTHS[random.below(4)] ?? 4
  if (bytes.byteLength < width) return
  const at = aligned(bytes, width, random)
  const isLittle = random.below(2) === 0
  let value = 0n
  for (let index = 0; index < width; index += 1) {
    value = (value << 8n) | BigInt(bytes[at + (isLittle ? width - 1 - index : index)] ?? 0)
  }
  setField(bytes, { at, width, value: value + BigInt(random.below(5) - 2), isLittle })
}

function setField(
  bytes: Uint8Array,
  { at, width, value, isLittle }: { at: number; width: Width; value: bigint; isLittle: boolean },
): void {
  const view = viewOf(bytes)
  if (width === 8) view.setBigUint64(at, BigInt.asUintN(64, value), isLittle)
  else if (width === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), isLittle)
  else if (width === 2) view.setUint16(at, Number(BigInt.asUintN(16, value)), isLittle)
  else view.setUint8(at, Number(BigInt.asUintN(8, value)))
}

/** The block of a structure: of this one, so that it points to itself, of one like it, or of any. */
function pointer({ structure, ofKind, structures, random }: Around): bigint {
  const choices = [[structure], ofKind, structures][random.below(3)] ?? structures
  const { offset, blockBytes } = choices[random.below(choices.length)] ?? structure
  return BigInt(Math.floor(offset / blockBytes))
}

function boundary({ structure, copies, random }: Around): bigint {
  const size = BigInt(copies[structure.image]?.sizeBytes ?? 0)
  const blockCount = size / BigInt(structure.blockBytes)
  const power = 1n << BigInt(random.below(64))
  const values = [0n, 1n, -1n, size, blockCount, BigInt(structure.length), power, (1n << 63n) - 1n]
  return (values[random.below(values.length)] ?? 0n) + BigInt(random.below(3) - 1)
}

const NUMBERS = [
  '0',
  '-1',
  '1',
  '2',
  '9',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '18446744073709551615',
]
const DIGIT = /[0-9]/

/** A number in a text becomes another one, as long as there is room for it. */
function changeNumber(bytes: Uint8Array, random: Randomness): void {
  const start = random.below(bytes.byteLength)
  for (let at = start; at < bytes.byteLength; at += 1) {
    if (!DIGIT.test(String.fromCharCode(bytes[at] ?? 0))) continue
    const text = NUMBERS[random.below(NUMBERS.length)] ?? '0'
    // Over what follows: that is damage as well.
    bytes.set(Buffer.from(text).subarray(0, bytes.byteLength - at), at)
    return
  }
}
