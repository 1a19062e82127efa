import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import {
  encodeIndexSegment,
  parseIndexSegment,
  readSegmentEntry,
  SEGMENT_ENTRY_SIZE,
} from './index-segment.ts'
import { encodeDirectory, type PackEntry } from './pack-format.ts'

const id = fc.uint8Array({ minLength: 32, maxLength: 32 })
/** Ids that often begin alike: sorting must look at all of their bytes. */
const closeId = fc.oneof(
  id,
  fc.nat(3).map((last) => Uint8Array.from({ length: 32 }, (_, at) => (at < 31 ? 7 : last))),
)
const u32 = fc.nat(2 ** 32 - 1)
const entry: fc.Arbitrary<PackEntry> = fc.record({
  id: closeId,
  offset: u32,
  storedSize: u32,
  kind: fc.constantFrom(0, 1),
  encoding: fc.constantFrom(0, 1),
})
const packs = fc.array(fc.record({ packId: id, entries: fc.array(entry, { maxLength: 30 }) }), {
  maxLength: 5,
})

function segmentOf(list: readonly { packId: Uint8Array; entries: readonly PackEntry[] }[]): Uint8Array {
  return encodeIndexSegment(
    list.map((pack) => ({ packId: pack.packId.toHex(), directory: encodeDirectory(pack.entries) })),
    ['ab'.repeat(32)],
  )
}

function rowOf(packId: string, row: PackEntry): string {
  return [row.id.toHex(), packId, row.offset, row.storedSize, row.kind, row.encoding].join(' ')
}

test('parseIndexSegment() undoes encodeIndexSegment(), with entries ascending', () => {
  fc.assert(
    fc.property(packs, (list) => {
      const parsed = parseIndexSegment(segmentOf(list))
      assert.deepEqual(parsed.superseded, ['ab'.repeat(32)])
      assert.deepEqual(
        parsed.packIds,
        list.map((pack) => pack.packId.toHex()),
      )
      const view = new DataView(parsed.entries.buffer, parsed.entries.byteOffset, parsed.entries.byteLength)
      const rows = Array.from({ length: parsed.entryCount }, (_, number) => {
        const at = number * SEGMENT_ENTRY_SIZE
        const { pack, ...place } = readSegmentEntry(view, at)
        return rowOf(parsed.packIds[pack] ?? '', { id: parsed.entries.subarray(at, at + 32), ...place })
      })
      const expected = list.flatMap((pack) => pack.entries.map((one) => rowOf(pack.packId.toHex(), one)))
      assert.deepEqual(rows.toSorted(), expected.toSorted())
      const ids = rows.map((row) => row.slice(0, 64))
      assert.deepEqual(ids, ids.toSorted())
    }),
  )
})

const two = [
  {
    packId: new Uint8Array(32).fill(1),
    entries: [1, 2, 3].map((fill) => ({
      id: new Uint8Array(32).fill(fill),
      offset: 64,
      storedSize: 9,
      kind: 0 as const,
      encoding: 1 as const,
    })),
  },
]

test('parseIndexSegment() refuses every other length', () => {
  const bytes = segmentOf(two)
  for (let length = 0; length < bytes.byteLength; length += 1) {
    assert.throws(() => parseIndexSegment(bytes.subarray(0, length)), SyntaxError)
  }
  assert.throws(() => parseIndexSegment(Buffer.concat([bytes, Buffer.alloc(1)])), SyntaxError)
})

test('parseIndexSegment() refuses counts that do not fit, unknown kinds, packs and orders', () => {
  const entriesAt = 16 + 2 * 32
  for (const [at, value] of [
    [0, 2],
    [4, 0],
    [4, 0xff],
    [8, 2],
    [11, 0xff],
    [12, 1],
    [entriesAt + 0x20, 1],
    [entriesAt + 0x2c, 2],
    [entriesAt + 0x2d, 2],
    [entriesAt + 0x2e, 1],
    [entriesAt, 9],
  ] as const) {
    const bytes = Uint8Array.from(segmentOf(two))
    bytes[at] = value
    assert.throws(() => parseIndexSegment(bytes), SyntaxError, `byte ${at}`)
  }
})
