import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCall, messageContent } from './mapper-calls.ts'

test('encodeCall() lays a call out as the kernel reads it', () => {
  const bytes = encodeCall({ name: 'vg0-home', flags: 2, content: messageContent('create_snap 5 1') })
  const view = new DataView(bytes.buffer)
  assert.equal(view.getUint32(0, true), 4)
  assert.equal(view.getUint32(12, true), bytes.byteLength)
  assert.equal(view.getUint32(16, true), 312)
  assert.equal(view.getUint32(28, true), 2)
  assert.equal(Buffer.from(bytes.subarray(48, 57)).toString(), 'vg0-home\0')
  assert.equal(view.getBigUint64(312, true), 0n)
  assert.equal(Buffer.from(bytes.subarray(320)).toString(), 'create_snap 5 1\0')
})

test('encodeCall() leaves room for an answer', () => {
  const bytes = encodeCall({ name: 'vg0-home', flags: 16, answerBytes: 4096 })
  const view = new DataView(bytes.buffer)
  assert.deepEqual([bytes.byteLength, view.getUint32(12, true), view.getUint32(28, true)], [4096, 4096, 16])
  assert.ok(bytes.subarray(312).every((byte) => byte === 0))
})

test('encodeCall() refuses a name that the kernel has no room for', () => {
  assert.throws(() => encodeCall({ name: 'x'.repeat(128) }), RangeError)
})
