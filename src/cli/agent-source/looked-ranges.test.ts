import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LookedRanges } from './looked-ranges.ts'

test('LookedRanges tells whether something that was looked at is among what moved', () => {
  const looked = new LookedRanges()
  assert.equal(looked.isTouchedBy([{ offset: 0, length: 100 }]), false)
  looked.add({ offset: 4096, length: 512 })
  looked.add({ offset: 1024, length: 1024 })
  assert.equal(looked.isTouchedBy([{ offset: 0, length: 1024 }]), false)
  assert.equal(looked.isTouchedBy([{ offset: 2048, length: 2048 }]), false)
  assert.equal(looked.isTouchedBy([{ offset: 2047, length: 1 }]), true)
  const two = [
    { offset: 0, length: 10 },
    { offset: 4600, length: 100 },
  ]
  assert.equal(looked.isTouchedBy(two), true)
  looked.clear()
  assert.equal(looked.isTouchedBy([{ offset: 0, length: 10_000 }]), false)
})

test('LookedRanges of very many looks stays small, and forgets none', () => {
  const looked = new LookedRanges()
  const step = 8 * 1024 * 1024
  for (let index = 0; index < 50_000; index += 1) looked.add({ offset: index * step, length: 512 })
  for (const index of [0, 1, 25_000, 49_999]) {
    assert.equal(looked.isTouchedBy([{ offset: index * step + 100, length: 1 }]), true)
  }
  assert.equal(looked.isTouchedBy([{ offset: 50_000 * step, length: 100 }]), false)
})
