import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { VarintReader, VarintWriter } from './varint.ts'

function unsigned(value: number): string {
  const writer = new VarintWriter()
  writer.writeUnsigned(value)
  return writer.take().toHex()
}

function signed(value: number): string {
  const writer = new VarintWriter()
  writer.writeSigned(value)
  return writer.take().toHex()
}

function reader(hex: string): VarintReader {
  return new VarintReader(Uint8Array.fromHex(hex))
}

/** Small and large numbers alike: a uniform choice would almost never have fewer than 7 bytes. */
const anyValue = fc.tuple(fc.maxSafeNat(), fc.nat(52)).map(([value, shift]) => Math.floor(value / 2 ** shift))

test('writeUnsigned() writes LEB128', () => {
  assert.equal(unsigned(0), '00')
  assert.equal(unsigned(127), '7f')
  assert.equal(unsigned(128), '8001')
  assert.equal(unsigned(624_485), 'e58e26') // The example of the DWARF standard.
  assert.equal(unsigned(2 ** 32), '8080808010')
  assert.equal(unsigned(Number.MAX_SAFE_INTEGER), 'ffffffffffffff0f')
})

test('writeSigned() writes zigzag', () => {
  const encodings = ['00', '01', '02', '03', '04', '7e', '7f', '8001']
  assert.deepEqual([0, -1, 1, -2, 2, 63, -64, 64].map(signed), encodings)
})

test('VarintReader reads back what VarintWriter wrote', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyValue, fc.boolean(), fc.nat(7), fc.uint8Array())), (items) => {
      const writer = new VarintWriter()
      for (const [value, negative, tag, bytes] of items) {
        writer.writeUnsigned(value)
        writer.writeSigned(negative ? -value : value)
        writer.writeTagged(value, { bits: 3, value: tag })
        writer.writeBytes(bytes)
      }
      const { length } = writer
      const back = new VarintReader(writer.take())
      for (const [value, negative, tag, bytes] of items) {
        assert.equal(back.readUnsigned(), value)
        assert.equal(back.readSigned(), negative && value > 0 ? -value : value)
        assert.equal(back.readTagged(3), value)
        assert.equal(back.tag, tag)
        assert.deepEqual(back.readBytes(bytes.byteLength), bytes)
      }
      assert(back.isAtEnd)
      assert.equal(back.position, length)
      assert.equal(writer.length, 0)
    }),
  )
})

test('VarintReader never reads beyond the end', () => {
  assert.throws(() => reader('').readUnsigned(), {
    name: 'SyntaxError',
    message: 'Cannot read varint at byte 0: found the end, expected another byte',
  })
  assert.throws(() => reader('ff80').readSigned(), SyntaxError)
  assert.throws(() => reader('0102').readBytes(3), {
    name: 'SyntaxError',
    message: 'Cannot read bytes at byte 0: found 2 bytes, expected 3',
  })
})

test('VarintReader refuses what VarintWriter never writes', () => {
  assert.throws(() => reader('808080808080808001').readUnsigned(), /more than 8 bytes/)
  assert.throws(() => reader('8000').readUnsigned(), /a zero as its last byte/)
  assert.throws(() => reader('8080808080808010').readUnsigned(), /found 9007199254740992, expected less/)
})

test('VarintReader survives any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(3), (bytes, tagBits) => {
      const back = new VarintReader(bytes)
      try {
        while (!back.isAtEnd) assert(Number.isSafeInteger(back.readTagged(tagBits)))
      } catch (error) {
        assert(error instanceof SyntaxError)
      }
      assert(back.position <= bytes.byteLength)
    }),
  )
})
