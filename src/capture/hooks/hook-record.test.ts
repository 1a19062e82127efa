import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { GuardedEnd } from './freeze-guard.ts'
import { hookRecord, lastLine } from './hook-record.ts'

const END: GuardedEnd = { durationMs: 5, exitCode: 0, signal: null, failure: null, output: '' }

function failureOf(end: Partial<GuardedEnd>): string | null {
  return hookRecord('before-freeze', { command: ['/bin/x', 'secret'], end: { ...END, ...end } }, {}).failure
}

test('hookRecord() says why a hook failed, in one phrase', () => {
  assert.equal(failureOf({}), null)
  assert.equal(failureOf({ exitCode: 2 }), 'it ended with exit code 2')
  assert.equal(failureOf({ exitCode: null, signal: 'SIGSEGV' }), 'it was ended by SIGSEGV')
  assert.equal(failureOf({ exitCode: 0, failure: 'it did not end within 1 s' }), 'it did not end within 1 s')
})

test('hookRecord() keeps the end of the output, printable and without secrets, and no arguments', () => {
  const output = `${'x'.repeat(10_000)}\u001b[2J key \ud800 hunter22\nlast\n`
  const record = hookRecord(
    'after-thaw',
    { command: ['/bin/x', '--token', 'a'], end: { ...END, output } },
    {
      SOME_PASSWORD: 'hunter22',
    },
  )
  assert.equal(record.program, '/bin/x')
  assert.equal(record.output.length, 2048)
  assert.ok(record.output.endsWith('\u{fffd}[2J key \u{fffd} ***\nlast\n'))
  assert.equal(lastLine(record), 'last')
})
