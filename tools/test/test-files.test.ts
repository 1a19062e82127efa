import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { inTurn, longTestsLeftOut, testFiles } from './test-files.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const own = 'tools/test/test-files.test.ts'

test('testFiles() finds this file, by itself and by a selection', () => {
  assert.ok(testFiles(root, []).includes(own))
  assert.deepEqual(testFiles(root, [own]), [own])
  assert.deepEqual(testFiles(root, ['./tools/test/test-files']), [own])
  assert.ok(testFiles(root, ['tools/', own]).includes(own))
})

test('testFiles() refuses a selection that selects nothing', () => {
  assert.throws(() => testFiles(root, ['tools/tes']), /Cannot select tests "tools\/tes"/)
})

test('inTurn() sets tests apart that need the host for themselves, all of which there are, and those in the lab', () => {
  const files = testFiles(root, [])
  const { together, inLab, alone } = inTurn(files)
  assert.equal(alone.length, 7)
  assert.ok(together.includes(own))
  assert.ok(inLab.includes('test/lab/host.test.ts'))
  assert.deepEqual([...together, ...inLab, ...alone].toSorted(), files)
})

test('testFiles() leaves long tests to who asks for them, and longTestsLeftOut() names them', () => {
  using folder = temporaryFolder()
  mkdirSync(folder.join('test/lab/long'), { recursive: true })
  const [short, long] = ['test/lab/short.test.ts', 'test/lab/long/rounds.test.ts']
  for (const path of [short, long]) writeFileSync(folder.join(path), '')
  assert.deepEqual(testFiles(folder.path, []), [short])
  assert.deepEqual(testFiles(folder.path, ['test/lab']), [long, short])
  assert.deepEqual(longTestsLeftOut(folder.path, [short]), [long])
  assert.deepEqual(longTestsLeftOut(folder.path, [long, short]), [])
})
