// The two messages of which there are a million: Extent and Range, in exactly the bytes of proto/icecore/v1/agent.proto. The
// generated code makes a message with three bigints of each, which takes several times as long. Its messages are used for
// everything else; what stands in their repeated field is written and read here, as a field that it does not know.
// Encoding: protobuf.dev/programming-guides/encoding.

import assert from 'node:assert/strict'
import { WireType } from '@bufbuild/protobuf/wire'
import type { Extent } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'
import { ExtentKind } from './gen/icecore/v1/agent_pb.ts'
import { ProtoCursor } from './proto-cursor.ts'

/** A field of a message as protobuf-es keeps those that it does not know. */
export type RawField = { readonly no: number; readonly wireType: WireType; readonly data: Uint8Array }

const BYTE_OFFSET = 1
const SIZE_BYTES = 2
const KIND = 3
const DEVICE = 4
const PHYSICAL_OFFSET = 5

/** Five tags, three numbers of 53 bits, one of 32, a kind, and before it its tag and its length. */
const EXTENT_BYTES_MAX = 5 + 3 * 8 + 5 + 1 + 2
const TWO_7 = 2 ** 7
const TWO_28 = 2 ** 28

/** All extents as one field of the message, numbered `no`; nothing when there are none. */
export function extentsToField(extents: readonly Extent[], no: number): RawField[] {
  return itemsToField(extents, { no, write: writeExtent })
}

export function rangesToField(ranges: readonly Range[], no: number): RawField[] {
  return itemsToField(ranges, { no, write: writeRange })
}

type Write<T> = (bytes: Uint8Array, item: T, position: number) => number

/** The writer of the message writes the first tag; behind the first item all others follow, with theirs. */
function itemsToField<T>(items: readonly T[], how: { no: number; write: Write<T> }): RawField[] {
  if (items.length === 0) return []
  const bytes = new Uint8Array(items.length * EXTENT_BYTES_MAX)
  const tag = (how.no << 3) | WireType.LengthDelimited
  let position = 0
  for (const item of items) {
    if (position > 0) bytes[position++] = tag
    const end = how.write(bytes, item, position + 1)
    // Never as long as 128 bytes: its length is one byte.
    bytes[position] = end - position - 1
    position = end
  }
  return [{ no: how.no, wireType: WireType.LengthDelimited, data: bytes.subarray(0, position) }]
}

function writeExtent(bytes: Uint8Array, extent: Extent, position: number): number {
  let at = writeRange(bytes, extent, position)
  bytes[at++] = KIND << 3
  if (extent.kind === 'zero') {
    bytes[at++] = ExtentKind.ZERO
    return at
  }
  assert(extent.kind === 'data', 'the bytes of inline extents are not sent with the map')
  bytes[at++] = ExtentKind.DATA
  at = writeNumber(bytes, { tag: DEVICE << 3, value: extent.device }, at)
  return writeNumber(bytes, { tag: PHYSICAL_OFFSET << 3, value: extent.physicalOffset }, at)
}

function writeRange(bytes: Uint8Array, range: Range, position: number): number {
  const at = writeNumber(bytes, { tag: BYTE_OFFSET << 3, value: range.offset }, position)
  return writeNumber(bytes, { tag: SIZE_BYTES << 3, value: range.length }, at)
}

/** Zero is what a field is that is not there. */
function writeNumber(bytes: Uint8Array, field: { tag: number; value: number }, position: number): number {
  let { value } = field
  if (value === 0) return position
  let at = position
  bytes[at++] = field.tag
  while (value >= TWO_28) {
    bytes[at++] = (value % TWO_7) + TWO_7
    value = Math.floor(value / TWO_7)
  }
  while (value >= TWO_7) {
    bytes[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  bytes[at++] = value
  return at
}

/** One item of a repeated field: its length, then its fields. Throws SyntaxError. */
export function extentFromField(data: Uint8Array): Extent {
  const cursor = new ProtoCursor(data)
  cursor.enter()
  let offset = 0
  let length = 0
  let kind = 0
  let device = 0
  let physicalOffset = 0
  while (!cursor.atEnd) {
    const tag = cursor.number()
    if (tag === BYTE_OFFSET << 3) offset = cursor.number()
    else if (tag === SIZE_BYTES << 3) length = cursor.number()
    else if (tag === KIND << 3) kind = cursor.number()
    else if (tag === DEVICE << 3) device = cursor.number()
    else if (tag === PHYSICAL_OFFSET << 3) physicalOffset = cursor.number()
    else cursor.skip(tag)
  }
  if (kind === ExtentKind.DATA) return { kind: 'data', offset, length, device, physicalOffset }
  if (kind === ExtentKind.ZERO) return { kind: 'zero', offset, length }
  throw new SyntaxError(`an extent at ${offset} is of kind ${kind}, expected data or zero`)
}

/** Throws SyntaxError. */
export function rangeFromField(data: Uint8Array): Range {
  const cursor = new ProtoCursor(data)
  cursor.enter()
  let offset = 0
  let length = 0
  while (!cursor.atEnd) {
    const tag = cursor.number()
    if (tag === BYTE_OFFSET << 3) offset = cursor.number()
    else if (tag === SIZE_BYTES << 3) length = cursor.number()
    else cursor.skip(tag)
  }
  return { offset, length }
}
