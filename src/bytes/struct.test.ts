import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { type Layout, readStruct, structSizeBytes, writeStruct } from './struct.ts'

const LAYOUT = {
  magic: [0x00, ['bytes', 4]],
  flags: [0x04, 'u8'],
  versionLe: [0x06, 'u16le'],
  versionBe: [0x08, 'u16be'],
  countLe: [0x0c, 'u32le'],
  countBe: [0x10, 'u32be'],
  sizeLe: [0x14, 'u64le'],
  sizeBe: [0x1c, 'u64be'],
} as const satisfies Layout

test('readStruct() reads what writeStruct() wrote, in the byte order of the table', () => {
  const values = {
    magic: Uint8Array.of(1, 2, 3, 4),
    flags: 0xab,
    versionLe: 0x1234,
    versionBe: 0x1234,
    countLe: 0xdeadbeef,
    countBe: 0xdeadbeef,
    sizeLe: 0x1f_1234_5678_9abc,
    sizeBe: 0x1f_1234_5678_9abc,
  }
  const bytes = new Uint8Array(structSizeBytes(LAYOUT))
  writeStruct(LAYOUT, bytes, values)
  assert.equal(bytes.toHex(), '01020304ab00341212340000efbeaddedeadbeefbc9a785634121f00001f123456789abc')
  assert.deepEqual(readStruct(LAYOUT, bytes), values)
})

test('readStruct() reads any safe 64-bit integer that writeStruct() wrote', () => {
  const layout = { le: [0, 'u64le'], be: [8, 'u64be'] } as const satisfies Layout
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (le, be) => {
      const bytes = new Uint8Array(16)
      writeStruct(layout, bytes, { le, be })
      assert.deepEqual(readStruct(layout, bytes), { le, be })
    }),
  )
})

test('readStruct() copies byte fields', () => {
  const bytes = Uint8Array.of(1, 2)
  const { all } = readStruct({ all: [0, ['bytes', 2]] }, bytes)
  bytes.fill(9)
  assert.deepEqual(all, Uint8Array.of(1, 2))
})

test('readStruct() refuses 64-bit integers from 2^53', () => {
  const bytes = Uint8Array.fromHex('0000000000002000')
  assert.throws(() => readStruct({ size: [0, 'u64le'] }, bytes), {
    name: 'RangeError',
    message: 'Cannot read field "size": found 9007199254740992, expected less than 2^53',
  })
  assert.throws(() => readStruct({ size: [0, 'u64be'] }, new Uint8Array(8).fill(255)), RangeError)
})

test('readStruct() and writeStruct() refuse bytes that are too short', () => {
  const layout = { count: [6, 'u32le'] } as const satisfies Layout
  assert.throws(() => readStruct(layout, new Uint8Array(9)), {
    name: 'RangeError',
    message: 'Cannot read field "count": found 9 bytes, expected 10',
  })
  assert.throws(() => writeStruct(layout, new Uint8Array(9), { count: 1 }), RangeError)
})

test('writeStruct() refuses values that do not fit', () => {
  const target = new Uint8Array(8)
  assert.throws(() => writeStruct({ a: [0, 'u8'] }, target, { a: 256 }), {
    message: 'Cannot write field "a": found 256, expected u8',
  })
  assert.throws(() => writeStruct({ a: [0, 'u32le'] }, target, { a: -1 }), RangeError)
  assert.throws(() => writeStruct({ a: [0, 'u64le'] }, target, { a: 2 ** 53 }), RangeError)
  assert.throws(() => writeStruct({ a: [0, 'u16be'] }, target, { a: 0.5 }), RangeError)
  assert.throws(() => writeStruct({ a: [0, ['bytes', 4]] }, target, { a: new Uint8Array(3) }), {
    message: 'Cannot write field "a": found 3 bytes, expected 4 bytes',
  })
})
