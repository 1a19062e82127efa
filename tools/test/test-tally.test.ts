import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { run, test } from 'node:test'
import { writeFileSync } from 'node:fs'

import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { TestTally } from './test-tally.ts'

const TESTS = `
import { describe, test } from 'node:test'
describe('outer', () => {
  test('inner', { skip: 'needs the moon' }, () => {})
  test('runs', () => {})
})
test('breaks', () => { throw new Error('broken') })
test('later', { todo: true }, () => {})
test('parent', async (t) => { await t.test('child', (u) => { u.skip('not here') }) })
`

test('TestTally counts what ran and names what did not', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('some.test.mjs'), TESTS)
  writeFileSync(folder.join('empty.test.mjs'), '')
  // Without this, the run takes itself for a part of the run that this test is in.
  const context = process.env['NODE_TEST_CONTEXT']
  Reflect.deleteProperty(process.env, 'NODE_TEST_CONTEXT')
  const tally = new TestTally(folder.path)
  const events = run({ cwd: folder.path, files: ['some.test.mjs', 'empty.test.mjs'] })
  events.on('test:start', (event) => tally.start(event))
  events.on('test:pass', (event) => tally.pass(event))
  events.on('test:fail', (event) => tally.fail(event))
  for await (const event of events) assert.ok(event)
  if (context !== undefined) process.env['NODE_TEST_CONTEXT'] = context

  assert.deepEqual({ passed: tally.passedCount, failed: tally.failedCount }, { passed: 2, failed: 1 })
  assert.deepEqual(
    tally.emptyFiles.map((path) => basename(path)),
    ['empty.test.mjs'],
  )
  assert.deepEqual(tally.skipped, [
    { file: 'some.test.mjs', name: 'outer › inner', reason: 'needs the moon' },
    { file: 'some.test.mjs', name: 'later', reason: 'still to be written' },
    { file: 'some.test.mjs', name: 'parent › child', reason: 'not here' },
  ])
})
