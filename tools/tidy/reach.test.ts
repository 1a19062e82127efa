import assert from 'node:assert/strict'
import { test } from 'node:test'

import { writtenFiles } from './checkout.ts'
import { reachedFiles } from './imports.ts'

/** Parts that are made for tests of other folders, and for them alone. */
const MADE_FOR_TESTS = [
  /-conformance\.ts$/,
  // Broken and slow devices and stores.
  /\/(failing|slow)[a-z-]*\.ts$/,
  // The store that every store is compared with.
  /^src\/stores\/memory/,
]

test('every source file is reached from a program', () => {
  const reached = reachedFiles(['src/cli/main.ts'])
  const unreached = writtenFiles('src/**/*.ts').filter(
    (path) =>
      !reached.has(path) &&
      !path.endsWith('.test.ts') &&
      !MADE_FOR_TESTS.some((pattern) => pattern.test(path)),
  )
  assert.deepEqual(unreached, [])
})
