import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderTable } from './table.ts'

test('renderTable() aligns its columns', () => {
  const table = renderTable(
    ['work', 's'],
    [
      ['full', '9.8'],
      ['a restore', '12.5'],
    ],
    new Set([1]),
  )
  assert.equal(table, 'work          s\n---------  ----\nfull        9.8\na restore  12.5')
})
