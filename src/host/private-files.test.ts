import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { makePrivateFolder, readPrivateFile, writePrivateFile } from './private-files.ts'

test('writePrivateFile() is for the owner only, whatever the mask and the file before', async () => {
  using folder = temporaryFolder()
  const path = folder.join('key.pem')
  writeFileSync(path, 'old', { mode: 0o666 })
  const mask = process.umask(0o777)
  try {
    await writePrivateFile(folder.path, 'key.pem', 'new')
  } finally {
    process.umask(mask)
  }
  assert.equal(readFileSync(path, 'utf8'), 'new')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await makePrivateFolder(folder.join('a', 'b'))
  assert.equal(statSync(folder.join('a')).mode & 0o777, 0o700)
})

test('writePrivateFile() leaves the old file when it fails, and nothing beside it', async () => {
  using folder = temporaryFolder()
  // A folder in the place of the file: it can be written beside it, but not renamed.
  mkdirSync(folder.join('key.pem'))
  writeFileSync(folder.join('key.pem', 'inside'), 'kept')
  await assert.rejects(writePrivateFile(folder.path, 'key.pem', 'new'), { code: 'EISDIR' })
  assert.deepEqual(readdirSync(folder.path), ['key.pem'])
  assert.equal(readFileSync(folder.join('key.pem', 'inside'), 'utf8'), 'kept')
})

test('writePrivateFile() is not stopped by what a killed process left', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join(`.key.pem.${process.pid}.tmp`), 'half')
  await writePrivateFile(folder.path, 'key.pem', 'whole')
  assert.deepEqual(readdirSync(folder.path), ['key.pem'])
  assert.equal(readFileSync(folder.join('key.pem'), 'utf8'), 'whole')
})

test('readPrivateFile() follows no link, and reads no large file', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('secret'), 'x', { mode: 0o644 })
  symlinkSync(folder.join('secret'), folder.join('link'))
  await assert.rejects(readPrivateFile(folder.path, 'link'), { code: 'ELOOP' })
  assert.deepEqual(await readPrivateFile(folder.path, 'secret'), { text: 'x', isOpenToOthers: true })
  assert.equal(await readPrivateFile(folder.path, 'missing'), undefined)
  writeFileSync(folder.join('large'), Buffer.alloc(3 * 1024 * 1024))
  await assert.rejects(readPrivateFile(folder.path, 'large'), { message: /3145728 bytes long/ })
})
