import assert from 'node:assert/strict'
import { test } from 'node:test'

import { textOf, writtenFiles } from './checkout.ts'
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
  const manifest: { bin: Record<string, string> } = JSON.parse(textOf('package.json'))
  const reached = reachedFiles(Object.values(manifest.bin).map((path) => path.replace('./', '')))
  const unreached = writtenFiles('src/**/*.ts').filter(
    (path) =>
      !reached.has(path) &&
      !path.endsWith('.test.ts') &&
      !MADE_FOR_TESTS.some((pattern) => pattern.test(path)),
  )
  assert.deepEqual(unreached, [])
})
