import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as zlib from 'node:zlib'

import * as fc from 'fast-check'

import { crc32 } from './crc32.ts'

test('crc32() gives the known check value', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926)
  assert.equal(crc32(new Uint8Array(0)), 0)
})

test('crc32() says what zlib says, and continues from what lies before', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
      assert.equal(crc32(bytes), zlib.crc32(bytes))
      assert.equal(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut))), crc32(bytes))
    }),
  )
})
