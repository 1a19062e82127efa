import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { chooseFiles } from './choose-files.ts'

const { signal } = new AbortController()
const SIZE_BYTES = 20_000

test('chooseFiles() takes from the folders in turn until there is enough', async () => {
  using folder = temporaryFolder()
  for (const name of ['one', 'two']) {
    mkdirSync(folder.join(name, 'deep'), { recursive: true })
    for (let at = 0; at < 5; at += 1) {
      writeFileSync(folder.join(name, 'deep', `f${at}`), new Uint8Array(SIZE_BYTES))
    }
  }
  const limit = { sizeBytes: 4 * SIZE_BYTES, count: 100 }
  const chosen = await chooseFiles([folder.join('one'), folder.join('two')], limit, signal)
  assert.deepEqual(
    chosen.map((file) => file.to),
    ['one/deep/f0', 'two/deep/f0', 'one/deep/f1', 'two/deep/f1'],
  )
})

test('chooseFiles() leaves out links and names that debugfs would cut', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('plain'), new Uint8Array(SIZE_BYTES))
  writeFileSync(folder.join('two words'), new Uint8Array(SIZE_BYTES))
  symlinkSync('plain', folder.join('link'))
  const chosen = await chooseFiles([folder.path], { sizeBytes: 1e9, count: 100 }, signal)
  assert.deepEqual(
    chosen.map((file) => file.from),
    [folder.join('plain')],
  )
})

test('chooseFiles() passes over a folder that is not there', async () => {
  assert.deepEqual(await chooseFiles(['/nowhere-at-all'], { sizeBytes: 1, count: 1 }, signal), [])
})
