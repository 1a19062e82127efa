import assert from 'node:assert/strict'
import test from 'node:test'
import { formatShare } from './share.ts'

test('formatShare() never shows a little as nothing', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0%'],
    [1, '100%'],
    [0.01, '1%'],
    [0.523456, '52.3%'],
    [0.000_012_34, '0.00123%'],
    [1e-9, 'less than 0.0001%'],
  ]
  for (const [share, text] of cases) assert.equal(formatShare(share), text)
})
