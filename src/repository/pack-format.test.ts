import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { withOneByteFlipped } from '../../test/support/flip-bytes.ts'
import { FILE_HEADER_SIZE } from './file-header.ts'
import {
  encodeDirectory,
  encodePackTrailer,
  PACK_ALIGNMENT,
  PACK_TRAILER_SIZE,
  paddedPackSize,
  parseDirectory,
  parsePackTrailer,
  type PackEntry,
  type PackTrailer,
} from './pack-format.ts'

const entries = fc
  .array(
    fc.record({
      id: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      storedSize: fc.integer({ min: 1, max: 100_000 }),
      kind: fc.constantFrom(0 as const, 1 as const),
      encoding: fc.constantFrom(0 as const, 1 as const),
    }),
    { minLength: 1, maxLength: 50 },
  )
  .map((list) => {
    let offset = FILE_HEADER_SIZE
    return list.map((one) => {
      const entry: PackEntry = { ...one, offset }
      offset += one.storedSize
      return entry
    })
  })

function trailerOf(list: readonly PackEntry[], encrypted: boolean): PackTrailer {
  const last = list.at(-1)
  assert(last !== undefined)
  return {
    directoryOffset: last.offset + last.storedSize,
    directoryLength: list.length * 44 + (encrypted ? 16 : 0),
    entryCount: list.length,
  }
}

test('parseDirectory() undoes encodeDirectory(), parsePackTrailer() undoes encodePackTrailer()', () => {
  fc.assert(
    fc.property(entries, fc.boolean(), (list, encrypted) => {
      const trailer = trailerOf(list, encrypted)
      assert.deepEqual(parseDirectory(encodeDirectory(list), trailer), list)
      const sizeBytes = paddedPackSize(trailer.directoryOffset + trailer.directoryLength)
      assert.equal(sizeBytes % PACK_ALIGNMENT, 0)
      assert.deepEqual(parsePackTrailer(encodePackTrailer(trailer), { sizeBytes, encrypted }), trailer)
      for (const wrong of [sizeBytes - PACK_ALIGNMENT, sizeBytes + PACK_ALIGNMENT]) {
        assert.throws(
          () => parsePackTrailer(encodePackTrailer(trailer), { sizeBytes: wrong, encrypted }),
          SyntaxError,
        )
      }
      const other = { sizeBytes, encrypted: !encrypted }
      assert.throws(() => parsePackTrailer(encodePackTrailer(trailer), other), SyntaxError)
    }),
  )
})

const sample: readonly PackEntry[] = [
  { id: new Uint8Array(32).fill(1), offset: 64, storedSize: 5000, kind: 0, encoding: 1 },
  { id: new Uint8Array(32).fill(2), offset: 5064, storedSize: 700, kind: 1, encoding: 0 },
]

test('parsePackTrailer() refuses a trailer with any byte but a small shift of its directory changed', () => {
  const trailer = trailerOf(sample, true)
  const sizeBytes = paddedPackSize(trailer.directoryOffset + trailer.directoryLength)
  for (const { at, flipped } of withOneByteFlipped(encodePackTrailer(trailer))) {
    try {
      const parsed = parsePackTrailer(flipped, { sizeBytes, encrypted: true })
      assert.ok(at === 8 || at === 9, `byte ${at}`)
      assert.throws(() => parseDirectory(encodeDirectory(sample), parsed), SyntaxError)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  assert.equal(encodePackTrailer(trailer).byteLength, PACK_TRAILER_SIZE)
})

test('parseDirectory() refuses a directory whose entries do not follow one another', () => {
  const trailer = trailerOf(sample, true)
  const bytes = encodeDirectory(sample)
  for (const { at, flipped } of withOneByteFlipped(bytes)) {
    const field = at % 44
    // Another id, kind or encoding that could be: the seal and the pack's name protect it.
    if (field < 32 || ((field === 0x28 || field === 0x29) && (flipped[at] ?? 0) < 2)) continue
    assert.throws(() => parseDirectory(flipped, trailer), SyntaxError, `byte ${at}`)
  }
  assert.throws(() => parseDirectory(bytes.subarray(1), trailer), SyntaxError)
  assert.throws(() => parseDirectory(bytes, { ...trailer, entryCount: 3 }), SyntaxError)
  assert.throws(() => parseDirectory(bytes, { ...trailer, directoryOffset: 1 }), SyntaxError)
})
