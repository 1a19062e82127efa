import assert from 'node:assert/strict'
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { eventually } from '../../../test/support/eventually.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { OpenFiles } from './open-files.ts'

test('OpenFiles opens nothing when it was disposed of, and leaves nothing open', async () => {
  using folder = temporaryFolder()
  const path = folder.join('pack')
  writeFileSync(path, 'bytes')
  const files = new OpenFiles()
  {
    using first = await files.open(path)
    assert.equal(openAt(path), 1)
    assert.equal((await first.handle.readFile('utf8')).length, 5)
  }
  assert.equal(openAt(path), 1)
  const missing = assert.rejects(files.open(folder.join('other')), { code: 'ENOENT' })
  await files[Symbol.asyncDispose]()
  assert.equal(openAt(path), 0)
  await assert.rejects(files.open(path), /nothing is read here any more/)
  assert.equal(openAt(path), 0)
  await missing
})

test('OpenFiles keeps some files open, closes those used least, and those that are forgotten', async () => {
  using folder = temporaryFolder()
  await using files = new OpenFiles()
  const paths = Array.from({ length: 40 }, (_, index) => folder.join(`pack${index}`))
  for (const path of paths) {
    writeFileSync(path, '')
    using _lease = await files.open(path)
  }
  const openCount = (): number => paths.reduce((count, path) => count + openAt(path), 0)
  assert.equal(openCount(), 32)
  const [last = ''] = paths.slice(-1)
  {
    using _lease = await files.open(last)
    files.forget(last)
    assert.equal(openAt(last), 1, 'who reads may finish')
  }
  await eventually(() => openAt(last) === 0)
})

/** How many descriptors of this process lead there. */
function openAt(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false // The descriptor of the folder itself.
    }
  }).length
}
