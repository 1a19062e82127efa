import assert from 'node:assert/strict'
import { closeSync, constants, openSync, readSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
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

test('allocateAligned() gives memory that direct I/O takes, as often as it is asked for', () => {
  using folder = temporaryFolder()
  const path = folder.join('file')
  writeFileSync(path, new Uint8Array(8192).fill(7))
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECT)
  // More than would fit if each took gigabytes of addresses, and all are held.
  const held = Array.from({ length: 20_000 }, () => allocateAligned(4096))
  try {
    for (const bytes of [...held.slice(0, 50), ...held.slice(-50)]) {
      assert.equal(readSync(fd, bytes, 0, bytes.byteLength, 4096), 4096)
      assert.equal(bytes[4095], 7)
    }
  } finally {
    closeSync(fd)
  }
})
