import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frozenBy } from './frozen-by.ts'

test('frozenBy() says what was frozen how, and what it cost', () => {
  const image = { provider: 'lvm', id: 'x', source: 'vg0/home', windowMs: 12, movedBytes: 0 }
  assert.equal(frozenBy(image), 'vg0/home by lvm, writers waited 12 ms at most')
  const moved = frozenBy({ ...image, windowMs: null, movedBytes: 2 * 2 ** 20 })
  assert.match(moved, /^vg0\/home by lvm; 2[.0]* MiB were read again, because they had moved$/)
})
