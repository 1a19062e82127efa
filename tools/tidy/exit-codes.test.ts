import assert from 'node:assert/strict'
import { test } from 'node:test'

import { exitCodeOf, ExitCode } from '../../src/cli/exit-code.ts'
import { ErrorCode } from '../../src/domain/backup-error.ts'
import { DegradedCode } from '../../src/domain/ledger.ts'
import { tableRows, textOf } from './checkout.ts'

const PAGE = 'docs/exit-codes.md'

/** Rows of the tables by their columns' number and their first cell: `` `CODE` `` or a number. */
function documented(columnCount: number): ReadonlyMap<string, readonly string[]> {
  const rows = tableRows(textOf(PAGE)).filter((cells) => cells.length === columnCount)
  return new Map(rows.map(([code = '', ...cells]) => [code.replaceAll('`', ''), cells]))
}

test('docs/exit-codes.md has every error with the exit code that it ends with', () => {
  const rows = documented(3)
  for (const code of Object.values(ErrorCode)) {
    assert.equal(rows.get(code)?.[0], String(exitCodeOf(code)), `${code} in ${PAGE}`)
  }
})

test('docs/exit-codes.md has every exit code and every reason for a degraded run', () => {
  const rows = documented(2)
  const wanted = [...Object.values(ExitCode).map(String), ...Object.values(DegradedCode)]
  assert.deepEqual(
    wanted.filter((code) => !rows.has(code)),
    [],
  )
})
