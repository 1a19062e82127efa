import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { collect } from '../../test/extents/byte-model.ts'
import { crc32c } from '../bytes/crc32c.ts'
import { writeStruct, type StructValues } from '../bytes/struct.ts'
import type { Extent } from '../domain/extent.ts'
import { decodeExtents } from './decode.ts'
import { encodeExtents } from './encode.ts'
import { BLOCK, BLOCK_SIZE_BYTES } from './extent-map-format.ts'

const OPTIONS = { sizeBytes: 100_000, deviceCount: 2 }
const MAP: Extent[] = [
  { kind: 'data', offset: 0, length: 8192, device: 1, physicalOffset: 4096 },
  { kind: 'zero', offset: 8192, length: 4096 },
  { kind: 'inline', offset: 12_288, length: 3, bytes: Uint8Array.of(1, 2, 3) },
]

async function encoded(): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of encodeExtents([MAP], OPTIONS)) pieces.push(piece)
  return Buffer.concat(pieces)
}

function decoded(bytes: Uint8Array): Promise<Extent[]> {
  return collect(decodeExtents([bytes], OPTIONS))
}

/** A header, one block with a right checksum around anything, and the end. */
async function around(entriesHex: string, fields: Partial<StructValues<typeof BLOCK>>): Promise<Uint8Array> {
  const header = (await encoded()).subarray(0, 32)
  return Buffer.concat([header, block(entriesHex, fields)])
}

function block(entriesHex: string, fields: Partial<StructValues<typeof BLOCK>>): Uint8Array {
  const entries = Uint8Array.fromHex(entriesHex)
  const bytes = new Uint8Array(BLOCK_SIZE_BYTES + entries.byteLength)
  const values = {
    offset: 0,
    entryCount: 1,
    entriesSizeBytes: entries.byteLength,
    unitShift: 0,
    reserved: new Uint8Array(3),
    checksum: 0,
    ...fields,
  }
  bytes.set(entries, BLOCK_SIZE_BYTES)
  writeStruct(BLOCK, bytes, values)
  writeStruct(BLOCK, bytes, { ...values, checksum: crc32c(entries, crc32c(bytes.subarray(0, 0x14))) })
  return bytes
}

test('decodeExtents() refuses every truncation', async () => {
  const bytes = await encoded()
  assert.deepEqual(await decoded(bytes), MAP)
  for (let length = 0; length < bytes.byteLength; length += 1) {
    await assert.rejects(decoded(bytes.subarray(0, length)), SyntaxError, `length ${length}`)
  }
  await assert.rejects(decoded(bytes.subarray(0, 40)), {
    name: 'SyntaxError',
    message: 'Cannot read extent map, block at byte 32: found the end after 8 bytes, expected 24',
  })
})

test('decodeExtents() refuses every flipped bit', async () => {
  const bytes = await encoded()
  for (let bit = 0; bit < 8 * bytes.byteLength; bit += 1) {
    const damaged = Uint8Array.from(bytes)
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    await assert.rejects(decoded(damaged), SyntaxError, `bit ${bit}`)
  }
})

test('decodeExtents() refuses bytes after the end, missing and repeated blocks, and other images', async () => {
  const bytes = await encoded()
  const [header, rest] = [bytes.subarray(0, 32), bytes.subarray(32)]
  const end = rest.subarray(-24)
  const first = rest.subarray(0, -24)
  await assert.rejects(decoded(Buffer.concat([bytes, Uint8Array.of(0)])), {
    message: `Cannot read extent map: bytes found at byte ${bytes.byteLength}, expected the end`,
  })
  await assert.rejects(decoded(Buffer.concat([header, end])), {
    message: 'Cannot read extent map, block at byte 32: offset is 12291, expected 0',
  })
  await assert.rejects(decoded(Buffer.concat([header, first, first, end])), /offset is 0, expected 12291/)
  const other = collect(decodeExtents([bytes], { ...OPTIONS, sizeBytes: 5 }))
  await assert.rejects(other, {
    message: 'Cannot read extent map, header at byte 0: image size is 100000, expected 5',
  })
  await assert.rejects(collect(decodeExtents([bytes], { ...OPTIONS, deviceCount: 3 })), /device count is 2/)
})

test('decodeExtents() bounds every number, right checksums or not', async () => {
  const damaged: readonly [string, Partial<StructValues<typeof BLOCK>>, RegExp][] = [
    ['', { entryCount: 1 }, /Cannot read varint at byte 0: found the end/],
    ['09', { entryCount: 2 }, /Cannot read varint at byte 1: found the end/],
    ['09', { entryCount: 8193 }, /entry count is 8193, limit is 8192/],
    ['09', { entriesSizeBytes: 2 ** 32 - 1 }, /size of entries is 4294967295, limit is 2097152/],
    ['0909', {}, /end of entries is 1, expected 2/],
    ['09', { unitShift: 31 }, /unit shift is 31, limit is 30/],
    ['09', { reserved: Uint8Array.of(0, 1, 0) }, /reserved field is 000100, expected 000000/],
    ['09', { offset: 4096 }, /offset is 4096, expected 0/],
    ['01', {}, /entry at byte 0 is 0\+0, expected 1 to 100000 bytes/],
    ['09', { unitShift: 20 }, /entry at byte 0 is 0\+1048576, expected 1 to 100000 bytes/],
    ['f9ffffffffffff7f', { unitShift: 30 }, /expected 1 to 100000 bytes/],
    ['0d', {}, /entry at byte 0 has kind 5, expected 0 to 4/],
    ['0a01', {}, /physical offset is -1, expected 0 to 2\^53/],
    ['0afeffffffffffff1f', {}, /physical offset is 9007199254740991, expected/],
    ['0b0200', {}, /device is 2, expected less than 2/],
    ['1c0102', {}, /Cannot read bytes at byte 1: found 2 bytes, expected 3/],
    ['8900', {}, /a zero as its last byte/],
  ]
  for (const [entries, fields, message] of damaged) {
    await assert.rejects(decoded(await around(entries, fields)), { name: 'SyntaxError', message })
  }
})

test('decodeExtents() refuses more entries than its limit, over all blocks', async () => {
  const header = (await encoded()).subarray(0, 32)
  const pieces = [header, block('0909', { entryCount: 2 }), block('0909', { entryCount: 2, offset: 2 })]
  pieces.push(block('', { entryCount: 0, offset: 4 }))
  const joinable = await collect(decodeExtents(pieces, { ...OPTIONS, entryCountMax: 4 }))
  assert.equal(joinable.length, 4)
  await assert.rejects(collect(decodeExtents(pieces, { ...OPTIONS, entryCountMax: 3 })), {
    message: 'Cannot read extent map, block at byte 58: entry count is 2, limit is 1',
  })
})

test('decodeExtents() survives any entries: a right map or a SyntaxError', async () => {
  const anyFields = fc.record({ entryCount: fc.nat(10), unitShift: fc.nat(31) })
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), anyFields, async (entries, fields) => {
      let position = 0
      try {
        for await (const batch of decodeExtents([await around(entries.toHex(), fields)], OPTIONS)) {
          for (const { offset, length } of batch) {
            assert(offset >= position && length >= 1)
            position = offset + length
          }
        }
      } catch (error) {
        assert(error instanceof SyntaxError)
      }
      assert(position <= OPTIONS.sizeBytes)
    }),
  )
})
