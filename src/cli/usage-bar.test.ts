import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usageBar } from './usage-bar.ts'

test('usageBar() shows what is in use from the first byte to the last', () => {
  assert.equal(usageBar(4800, []), '█'.repeat(48))
  assert.equal(usageBar(4800, [{ offset: 0, length: 4800 }]), '·'.repeat(48))
  const half = usageBar(4800, [{ offset: 2400, length: 2400 }])
  assert.equal(half, '█'.repeat(24) + '·'.repeat(24))
})

test('usageBar() rounds neither a little use nor a little room away', () => {
  assert.equal(usageBar(48_000_000, [{ offset: 0, length: 999_999 }])[0], '░')
  assert.equal(usageBar(48_000_000, [{ offset: 0, length: 1 }])[0], '▓')
})
