import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { bytesInUse, bytesWritten } from './free-in-volume.ts'

const { signal } = new AbortController()
const MIB = 2 ** 20
const CHUNK = { chunkSizeBytes: 65_536, signal }

test('bytesInUse() does not count what the file system calls free', async () => {
  using folder = temporaryFolder()
  const path = folder.join('image')
  closeSync(openSync(path, 'w'))
  truncateSync(path, 64 * MIB)
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '4096', path])
  // The superblock, and a place far behind everything that mke2fs writes.
  const superblock = { offset: 0, length: 4096 }
  const free = { offset: 60 * MIB, length: MIB }
  assert.equal(await bytesInUse(path, [superblock, free], CHUNK), 4096)
  assert.equal(await bytesInUse(path, [], CHUNK), 0)
})

test('bytesInUse() counts everything of an image without a file system', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('image'), Buffer.alloc(MIB, 1))
  assert.equal(await bytesInUse(folder.join('image'), [{ offset: 0, length: 4096 }], CHUNK), 4096)
})

test('bytesWritten() does not count holes', async () => {
  using folder = temporaryFolder()
  const path = folder.join('image')
  writeFileSync(path, Buffer.alloc(MIB, 1))
  truncateSync(path, 2 * MIB)
  assert.equal(await bytesWritten(path, [{ offset: MIB - 4096, length: 8192 }], signal), 4096)
})
