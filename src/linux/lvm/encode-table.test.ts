import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeTable } from './encode-table.ts'

test('encodeTable() lays targets out as the kernel reads them', () => {
  const { targetCount, bytes } = encodeTable('0 2048 snapshot 253:3 253:4 P 8\n2048 16 error\n')
  assert.equal(targetCount, 2)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  assert.deepEqual([view.getBigUint64(0, true), view.getBigUint64(8, true)], [0n, 2048n])
  const next = view.getUint32(20, true)
  assert.equal(Buffer.from(bytes.subarray(24, 33)).toString(), 'snapshot\0')
  assert.equal(Buffer.from(bytes.subarray(40, 56)).toString(), '253:3 253:4 P 8\0')
  assert.equal(next, 56)
  assert.deepEqual([view.getBigUint64(next, true), view.getBigUint64(next + 8, true)], [2048n, 16n])
  assert.equal(Buffer.from(bytes.subarray(next + 24, next + 30)).toString(), 'error\0')
  assert.equal(bytes.byteLength % 8, 0)
})

test('encodeTable() refuses what is no table', () => {
  for (const text of ['0 linear', 'a b linear', '0 8 a-type-that-is-too-long', ' 0 8 error']) {
    assert.throws(() => encodeTable(text), RangeError, text)
  }
})
