import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import {
  cloningFileSystem,
  needsCloning,
  type CloningFileSystem,
} from '../../../test/support/cloning-file-system.ts'
import { canClone } from './can-clone.ts'

function makeFile(mounted: CloningFileSystem): string {
  const path = mounted.join('file')
  writeFileSync(path, 'content')
  return path
}

for (const kind of ['xfs', 'btrfs'] as const) {
  test(`canClone() knows a file of ${kind}, and makes nothing`, { skip: needsCloning(kind) }, async () => {
    using mounted = cloningFileSystem(kind)
    const path = makeFile(mounted)
    assert.equal(await canClone(path), true)
    assert.equal(await canClone(mounted.path), false)
    assert.deepEqual(readdirSync(mounted.path), ['file'])
  })
}

test('canClone() knows a file system that shares no blocks', { skip: needsCloning('xfs') }, async () => {
  using mounted = cloningFileSystem('xfs', { words: ['-m', 'reflink=0'] })
  assert.equal(await canClone(makeFile(mounted)), false)
  assert.equal(await canClone('/proc/self/comm'), false)
  assert.equal(await canClone(mounted.join('missing')), false)
})
