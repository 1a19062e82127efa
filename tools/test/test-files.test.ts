import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

import { testFiles } from './test-files.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const own = 'tools/test/test-files.test.ts'

test('testFiles() finds this file, by itself and by a selection', () => {
  assert.ok(testFiles(root, []).includes(own))
  assert.deepEqual(testFiles(root, [own]), [own])
  assert.deepEqual(testFiles(root, ['./tools/test/test-files']), [own])
  assert.ok(testFiles(root, ['tools/', own]).includes(own))
})

test('testFiles() refuses a selection that selects nothing', () => {
  assert.throws(() => testFiles(root, ['tools/tes']), /Cannot select tests "tools\/tes"/)
})
