import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findFileSystemTools } from './file-system-tools.ts'

/** A machine that has everything but one program. */
const without =
  (missing: string) =>
  (name: string): string | null =>
    name === missing ? null : `/sbin/${name}`

test('findFileSystemTools() names the package of a missing program', () => {
  assert.throws(() => findFileSystemTools(without('debugfs')), {
    code: 'PROGRAM_MISSING',
    message: /"debugfs", required is the package e2fsprogs: apt-get install e2fsprogs$/,
  })
})

test('findFileSystemTools() does without e2fsck', () => {
  assert.equal(findFileSystemTools(without('e2fsck')).e2fsck, null)
})
