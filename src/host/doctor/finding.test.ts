import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listed } from './finding.ts'

test('listed() writes names as a sentence has them', () => {
  assert.equal(listed([]), '')
  assert.equal(listed(['a']), 'a')
  assert.equal(listed(['a (x, y)', 'b, c']), 'a (x, y) and b, c')
  assert.equal(listed(['a', 'b', 'c']), 'a, b and c')
  assert.equal(listed(['a', 'b', 'c', 'd'], 2), 'a, b and 2 more')
})
