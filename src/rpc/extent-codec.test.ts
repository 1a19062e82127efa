import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import { WireType } from '@bufbuild/protobuf/wire'
import * as fc from 'fast-check'
import type { Extent } from '../domain/extent.ts'
import { extentFromField, extentsToField, rangesToField } from './extent-codec.ts'
import { extentToMessage } from './extent-message.ts'
import {
  ExtentKind,
  ExtentSchema,
  GetDeltaResponseSchema,
  GetExtentsResponseSchema,
} from './gen/icecore/v1/agent_pb.ts'
import { rangeToMessage } from './range-message.ts'
import { extentsFromBytes, rangesFromBytes } from './received-messages.ts'

const anyNumber = fc.oneof(fc.nat(300), fc.maxSafeNat())
const anyRange = fc.record({ offset: anyNumber, length: anyNumber }, { noNullPrototype: true })
const anyExtent: fc.Arbitrary<Extent> = fc.oneof(
  anyRange.map((range) => ({ kind: 'zero' as const, ...range })),
  fc
    .record({ offset: anyNumber, length: anyNumber, device: fc.nat(), physicalOffset: anyNumber })
    .map((extent) => ({ kind: 'data' as const, ...extent })),
)
const head = { imageSizeBytes: 2n ** 53n - 1n, epoch: 'épo' }

test('extentsToField() writes the bytes that the generated code writes', () => {
  fc.assert(
    fc.property(fc.array(anyExtent), (extents) => {
      const generated = create(GetExtentsResponseSchema, { ...head, extents: extents.map(extentToMessage) })
      const own = create(GetExtentsResponseSchema, head)
      own.$unknown = extentsToField(extents, 3)
      assert.deepEqual(toBinary(GetExtentsResponseSchema, own), toBinary(GetExtentsResponseSchema, generated))
    }),
  )
})

test('extentsFromBytes() reads what the generated code writes', () => {
  fc.assert(
    fc.property(fc.array(anyExtent), (extents) => {
      const message = create(GetExtentsResponseSchema, { ...head, extents: extents.map(extentToMessage) })
      const bytes = toBinary(GetExtentsResponseSchema, message)
      assert.deepEqual(extentsFromBytes(fromBinary(EmptySchema, bytes)), {
        imageSizeBytes: Number.MAX_SAFE_INTEGER,
        epoch: head.epoch,
        extents,
      })
    }),
  )
})

test('rangesToField() and rangesFromBytes() agree with the generated code', () => {
  fc.assert(
    fc.property(fc.array(anyRange), anyNumber, (ranges, imageSizeBytes) => {
      const size = { imageSizeBytes: BigInt(imageSizeBytes) }
      const generated = create(GetDeltaResponseSchema, { ...size, ranges: ranges.map(rangeToMessage) })
      const own = create(GetDeltaResponseSchema, size)
      own.$unknown = rangesToField(ranges, 2)
      const bytes = toBinary(GetDeltaResponseSchema, own)
      assert.deepEqual(bytes, toBinary(GetDeltaResponseSchema, generated))
      assert.deepEqual(rangesFromBytes(fromBinary(EmptySchema, bytes)), { imageSizeBytes, ranges })
    }),
  )
})

test('extentFromField() passes over what a newer agent adds', () => {
  const message = create(ExtentSchema, { sizeBytes: 5n, kind: ExtentKind.ZERO })
  message.$unknown = [
    {
      no: 9,
      wireType: WireType.Varint,
      data: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
    },
    { no: 10, wireType: WireType.Bit64, data: new Uint8Array(8) },
    { no: 11, wireType: WireType.LengthDelimited, data: Uint8Array.of(2, 7, 7) },
    { no: 12, wireType: WireType.Bit32, data: new Uint8Array(4) },
  ]
  assert.deepEqual(extentFromField(delimited(toBinary(ExtentSchema, message))), {
    kind: 'zero',
    offset: 0,
    length: 5,
  })
})

test('extentFromField() throws SyntaxError for bytes that are no extent', () => {
  const wrong: readonly (readonly [string, readonly number[]])[] = [
    ['nothing', []],
    ['no kind', [2, 0x10, 5]],
    ['another kind', [2, 0x18, 3]],
    ['shorter than its length', [9, 0x18, 2]],
    ['longer than its length', [1, 0x18, 2]],
    ['a number that does not end', [3, 0x10, 0xff, 0xff]],
    ['a number of 64 bits', [11, 0x10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ['a number without end', [13, 0x10, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1]],
    ['a field behind the end', [3, 0x5a, 200, 1]],
    ['a group', [2, 0x5b, 0]],
  ]
  for (const [name, bytes] of wrong) {
    assert.throws(() => extentFromField(Uint8Array.from(bytes)), SyntaxError, name)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        extentFromField(bytes)
      } catch (error) {
        assert(error instanceof SyntaxError, String(error))
      }
    }),
  )
})

function delimited(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(bytes.byteLength, ...bytes)
}
