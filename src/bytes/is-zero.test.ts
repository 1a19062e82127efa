import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isZero } from './is-zero.ts'

test('isZero() sees every byte, wherever it lies', () => {
  const bytes = new Uint8Array(23)
  for (let start = 0; start <= 8; start += 1) {
    for (let end = start; end <= bytes.byteLength; end += 1) {
      assert(isZero(bytes.subarray(start, end)))
      for (let at = 0; at < bytes.byteLength; at += 1) {
        bytes[at] = 1
        assert.equal(isZero(bytes.subarray(start, end)), at < start || at >= end)
        bytes[at] = 0
      }
    }
  }
})
