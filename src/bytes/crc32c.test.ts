import assert from 'node:assert/strict'
import { test } from 'node:test'

import { crc32c } from './crc32c.ts'

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
