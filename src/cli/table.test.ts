import assert from 'node:assert/strict'
import test from 'node:test'
import { renderTable } from './table.ts'

test('renderTable() aligns columns, coloured cells too, and ends lines without blanks', () => {
  const text = renderTable(
    [{ title: 'Id' }, { title: 'Size', align: 'right' }, { title: 'Tags' }],
    [
      ['3fa9', '1.00 GiB', ''],
      ['\u001B[1mdeadbeef\u001B[22m', '5 B', 'weekly'],
    ],
  )
  assert.equal(
    text,
    ['Id            Size  Tags', '3fa9      1.00 GiB', '\u001B[1mdeadbeef\u001B[22m       5 B  weekly'].join(
      '\n',
    ),
  )
})
