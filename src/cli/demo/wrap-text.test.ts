import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrapText } from './wrap-text.ts'

test('wrapText() breaks at blanks', () => {
  assert.deepEqual(wrapText('one two three', 7), ['one two', 'three'])
})

test('wrapText() keeps a number and its unit together', () => {
  assert.deepEqual(wrapText('it has 381 MiB, in 15 s.', 10), ['it has', '381 MiB,', 'in 15 s.'])
})

test('wrapText() gives a long word a line of its own', () => {
  assert.deepEqual(wrapText('a incomprehensible b', 5), ['a', 'incomprehensible', 'b'])
})
