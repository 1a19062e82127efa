import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median } from './statistics.ts'

test('median() takes the middle of the values in order', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.equal(median([7]), 7)
})
