import assert from 'node:assert/strict'
import { test } from 'node:test'

import { crc32c, crc32cOfWord } from './crc32c.ts'

test('crc32c() gives the values of RFC 3720, appendix B.4', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
  assert.equal(crc32c(new TextEncoder().encode('123456789')), 0xe3069283)
})

test('crc32c() continues from what lies before', () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => (i * 37) % 256)
  assert.equal(crc32c(bytes.subarray(33), crc32c(bytes.subarray(0, 33))), crc32c(bytes))
  assert.equal(crc32c(new Uint8Array(0)), 0)
})

test('crc32cOfWord() gives what crc32c() gives of its four bytes', () => {
  for (const [index, word] of [0, 1, 0x80, 0xff00, 0x12345678, 0x80000000, 0xffffffff].entries()) {
    const bytes = Uint8Array.of(word, word >>> 8, word >>> 16, word >>> 24)
    for (const previous of [0, 0xffffffff, 0x8a9136aa + index]) {
      assert.equal(crc32cOfWord(word, previous), crc32c(bytes, previous), `${word} after ${previous}`)
    }
  }
})

test('crc32c() gives the same for every length and every place in memory', () => {
  const memory = Uint8Array.from({ length: 80 }, (_, i) => (i * 151 + 7) % 256)
  for (let start = 0; start < 9; start += 1) {
    for (let end = start; end <= memory.length; end += 1) {
      const bytes = memory.subarray(start, end)
      assert.equal(crc32c(bytes), bitByBit(bytes), `bytes ${start} to ${end}`)
    }
  }
})

function bitByBit(bytes: Uint8Array): number {
  let remainder = -1
  for (const byte of bytes) {
    remainder ^= byte
    for (let bit = 0; bit < 8; bit += 1) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0)
  }
  return ~remainder >>> 0
}
