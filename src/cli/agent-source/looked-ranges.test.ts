import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Range } from '../../domain/range.ts'
import { LookedRanges } from './looked-ranges.ts'

function isRightAfter(looked: readonly Range[], ...moved: readonly (readonly Range[])[]): boolean {
  const ranges = new LookedRanges()
  for (const range of looked) ranges.add(range)
  for (const some of moved) ranges.noteMoved(some)
  return ranges.takeRight()
}

test('LookedRanges tells whether something that was looked at is among what moved', () => {
  const looked = [
    { offset: 4096, length: 512 },
    { offset: 1024, length: 1024 },
  ]
  assert.equal(isRightAfter([], [{ offset: 0, length: 100 }]), true)
  assert.equal(isRightAfter(looked), true)
  assert.equal(isRightAfter(looked, [{ offset: 0, length: 1024 }]), true)
  assert.equal(isRightAfter(looked, [{ offset: 2048, length: 2048 }]), true)
  assert.equal(isRightAfter(looked, [{ offset: 2047, length: 1 }]), false)
  const two = [
    { offset: 0, length: 10 },
    { offset: 4600, length: 100 },
  ]
  assert.equal(isRightAfter(looked, two), false)
  assert.equal(isRightAfter(looked, [{ offset: 2047, length: 1 }], []), false, 'whoever heard it first')
})

test('LookedRanges begins anew when it was asked', () => {
  const looked = new LookedRanges()
  const range = { offset: 0, length: 512 }
  looked.noteMoved([range])
  looked.add(range)
  assert.equal(looked.takeRight(), true, 'it had moved before')
  looked.noteMoved([range])
  assert.equal(looked.takeRight(), true, 'it was asked about')
  looked.add(range)
  looked.noteMoved([range])
  assert.equal(looked.takeRight(), false)
  assert.equal(looked.takeRight(), true)
})

test('LookedRanges of very many looks stays small, and forgets none', () => {
  const step = 8 * 1024 * 1024
  const looked = Array.from({ length: 50_000 }, (_, index) => ({ offset: index * step, length: 512 }))
  for (const index of [0, 1, 25_000, 49_999]) {
    assert.equal(isRightAfter(looked, [{ offset: index * step + 100, length: 1 }]), false)
  }
  assert.equal(isRightAfter(looked, [{ offset: 50_000 * step, length: 100 }]), true)
})
