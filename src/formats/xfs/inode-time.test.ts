import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { parseInodeTime } from './inode-time.ts'

const EPOCH_NANOSECONDS = 2n ** 31n * 1_000_000_000n

test('parseInodeTime() counts nanoseconds since 1901 when times are large', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (count) => {
      const view = new DataView(new ArrayBuffer(8))
      view.setBigUint64(0, count)
      const { seconds, nanoseconds } = parseInodeTime(view, 0, true)
      assert.ok(nanoseconds >= 0 && nanoseconds < 1_000_000_000)
      assert.equal(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds), count - EPOCH_NANOSECONDS)
    }),
  )
})

test('parseInodeTime() reads signed seconds when they are not', () => {
  const view = new DataView(new ArrayBuffer(8))
  view.setInt32(0, -2)
  view.setUint32(4, 999_999_999)
  assert.deepEqual(parseInodeTime(view, 0, false), { seconds: -2, nanoseconds: 999_999_999 })
  view.setUint32(4, 1_000_000_000)
  assert.deepEqual(parseInodeTime(view, 0, false), { seconds: -2, nanoseconds: 0 })
})
