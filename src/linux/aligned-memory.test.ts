import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocateAligned, isAlignedMemory } from './aligned-memory.ts'

test('allocateAligned() gives shared memory of the length asked for', () => {
  const bytes = allocateAligned(100_000)
  assert.equal(bytes.byteLength, 100_000)
  assert.ok(bytes.buffer instanceof SharedArrayBuffer)
})

test('isAlignedMemory() wants aligned memory and an aligned start', () => {
  const bytes = allocateAligned(65_536)
  assert.ok(isAlignedMemory(bytes.subarray(4096, 5000)))
  assert.ok(!isAlignedMemory(bytes.subarray(512)))
  assert.ok(!isAlignedMemory(new Uint8Array(4096)))
})
