import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { BounceBuffers, BounceMemory } from './bounce-buffers.ts'

test('BounceBuffers of many readers, one after the other, use the same memory again', async () => {
  let madeCount = 0
  const memory = new BounceMemory({ sizeBytes: 8, allocate: (bytes) => (madeCount++, new Uint8Array(bytes)) })
  for (let reader = 0; reader < 100; reader += 1) {
    const bounces = new BounceBuffers(memory, 4)
    const read = (): Promise<void> => bounces.with(async () => await nextTurn())
    await Promise.all(Array.from({ length: 10 }, read))
    await assert.rejects(
      bounces.with(() => Promise.reject(new Error('EIO'))),
      /EIO/,
    )
  }
  assert.equal(madeCount, 4)
})

test('BounceBuffers gives no more than its number at a time, and none twice', async () => {
  const bounces = new BounceBuffers(
    new BounceMemory({ sizeBytes: 8, allocate: (bytes) => new Uint8Array(bytes) }),
    3,
  )
  const inUse = new Set<Uint8Array>()
  let most = 0
  const use = (): Promise<void> =>
    bounces.with(async (bounce) => {
      assert.ok(!inUse.has(bounce))
      inUse.add(bounce)
      most = Math.max(most, inUse.size)
      await nextTurn()
      inUse.delete(bounce)
    })
  await Promise.all(Array.from({ length: 20 }, use))
  assert.equal(most, 3)
})

test('BounceMemory keeps what is given back, up to its limit', () => {
  let madeCount = 0
  const allocate = (bytes: number): Uint8Array => (madeCount++, new Uint8Array(bytes))
  const memory = new BounceMemory({ sizeBytes: 8, allocate, spareMax: 2 })
  for (const expectedCount of [3, 4]) {
    const borrowed = [memory.borrow(), memory.borrow(), memory.borrow()]
    assert.equal(new Set(borrowed.map(({ bytes }) => bytes)).size, 3)
    assert.equal(madeCount, expectedCount)
    for (const one of borrowed) one[Symbol.dispose]()
  }
})
