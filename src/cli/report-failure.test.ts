import assert from 'node:assert/strict'
import test from 'node:test'
import { BackupError } from '../domain/backup-error.ts'
import { Cancelled } from './cancelled.ts'
import { fakeTerminal } from '../../test/support/fake-terminal.ts'
import { reportFailure } from './report-failure.ts'

const HUMAN = { json: false, verbose: false }
const FULL = new BackupError('STORE_FULL', 'Cannot write "packs/ab": no space is left', {
  data: { name: 'x' },
})

test('reportFailure() prints a sentence and what to do next', async () => {
  const { terminal, printed } = fakeTerminal(false)
  assert.equal(await reportFailure(FULL, terminal, HUMAN), 5)
  assert.equal(
    printed.messages,
    'icecore: Cannot write "packs/ab": no space is left\n' +
      'Make room and run it again: what was stored so far is kept and used\n',
  )
  assert.equal(printed.output, '')
})

test('reportFailure() prints one JSON document on standard output', async () => {
  const { terminal, printed } = fakeTerminal(false)
  assert.equal(await reportFailure(FULL, terminal, { json: true, verbose: false }), 5)
  assert.deepEqual(JSON.parse(printed.output), {
    error: { code: 'STORE_FULL', message: FULL.message, data: { name: 'x' } },
  })
})

test('reportFailure() tells a cancellation from a bug', async () => {
  const cancelled = fakeTerminal(false)
  assert.equal(await reportFailure(new Cancelled('SIGINT'), cancelled.terminal, HUMAN), 130)
  assert.match(cancelled.printed.messages, /^icecore: Cancelled by SIGINT\n/)
  const aborted = new DOMException('This operation was aborted', 'AbortError')
  assert.equal(await reportFailure(aborted, fakeTerminal(false).terminal, HUMAN), 130)

  const bug = fakeTerminal(false)
  assert.equal(await reportFailure(new TypeError('x is not a function'), bug.terminal, HUMAN), 1)
  assert.match(bug.printed.messages, /^icecore: Unexpected failure: x is not a function\n.*please report/)
  assert.match(bug.printed.messages, /report-failure\.test\.ts/)
  assert.equal(await reportFailure('a string', fakeTerminal(false).terminal, HUMAN), 1)
})

test('reportFailure() shows causes when it is verbose', async () => {
  const { terminal, printed } = fakeTerminal(false)
  const error = new BackupError('STORE_FAILED', 'Cannot write', { cause: new Error('EIO, deep down') })
  await reportFailure(error, terminal, { json: false, verbose: true })
  assert.match(printed.messages, /caused by Error: EIO, deep down/)
})
