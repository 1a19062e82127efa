import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatOdds } from './format-odds.ts'

test('formatOdds() says how often something happens', () => {
  assert.equal(formatOdds(0.25), '25 times in 100')
  assert.equal(formatOdds(0.0123), '1 time in 81')
  assert.equal(formatOdds(1.37e-7), '1 time in 7,300,000')
  assert.equal(formatOdds(0), 'practically never')
})
