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
  // All volumes of a pool, for comparing them with what the tools of the system find.
  /^src\/formats\/dm-thin\/thin-devices\.ts$/,
]

/** Libraries: the algebra and its encoding are whole, whether or not a program uses all of it yet. */
const LIBRARIES = /^src\/(bytes|extents)\//

/** What the bench measures and no command uses yet. */
const MEASURED = ['bench/thin/difference.ts', 'bench/thin/map.ts']

test('every source file is reached from a program', () => {
  const manifest: { bin: Record<string, string> } = JSON.parse(textOf('package.json'))
  const programs = Object.values(manifest.bin).map((path) => path.replace('./', ''))
  const libraries = writtenFiles('src/**/*.ts').filter((path) => LIBRARIES.test(path))
  const reached = reachedFiles([...programs, ...libraries, ...MEASURED])
  const unreached = writtenFiles('src/**/*.ts').filter(
    (path) =>
      !reached.has(path) &&
      !path.endsWith('.test.ts') &&
      !MADE_FOR_TESTS.some((pattern) => pattern.test(path)),
  )
  assert.deepEqual(unreached, [])
})
