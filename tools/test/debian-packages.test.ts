import assert from 'node:assert/strict'
import { test } from 'node:test'

import { installLine, missingPackages, pathWithSystemFolders } from './debian-packages.ts'

test('missingPackages() names every package on an empty path', () => {
  assert.ok(missingPackages('/nonexistent').includes('e2fsprogs'))
})

test('pathWithSystemFolders() adds sbin once, after what is there', () => {
  const path = pathWithSystemFolders('/opt/bin:/usr/sbin')
  assert.ok(path.startsWith('/opt/bin:/usr/sbin:'))
  assert.equal(path.split(':').filter((folder) => folder === '/usr/sbin').length, 1)
})

test('installLine() is one line to type', () => {
  assert.equal(installLine(['a', 'b']), 'apt-get update && apt-get install --yes --no-install-recommends a b')
})
