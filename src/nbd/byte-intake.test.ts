import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ByteIntake } from './byte-intake.ts'

const LARGE = 256 * 1024

test('room is the rest of a large wish, and what was put there is taken in as it lies', () => {
  const intake = new ByteIntake()
  const memory = new Uint8Array(new SharedArrayBuffer(2 * LARGE))
  const target = memory.subarray(100, 100 + LARGE)
  let isFull = false
  intake.expect(target, () => (isFull = true))
  intake.push(new Uint8Array(1000).fill(1))
  const { room } = intake
  assert.ok(room)
  assert.equal(room.byteOffset, 1100)
  assert.equal(room.byteLength, LARGE - 1000)
  room.fill(2, 0, 50_000)
  intake.push(room.subarray(0, 50_000))
  assert.equal(intake.room?.byteOffset, 51_100)
  intake.push(new Uint8Array(LARGE - 51_000).fill(3))
  assert.ok(isFull)
  const expected = new Uint8Array(LARGE).fill(1, 0, 1000).fill(2, 1000, 51_000).fill(3, 51_000)
  assert.deepEqual(Buffer.compare(target, expected), 0)
  assert.equal(memory[99], 0)
  assert.equal(memory[100 + LARGE], 0)
})

test('room is null where a small wish would cut what is received into pieces', () => {
  const intake = new ByteIntake()
  assert.equal(intake.room, null)
  intake.expect(new Uint8Array(LARGE), () => undefined)
  intake.push(new Uint8Array(LARGE - 64 * 1024 + 1))
  assert.equal(intake.room, null)
})
