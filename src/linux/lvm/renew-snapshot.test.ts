import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSnapshotTable } from './renew-snapshot.ts'

test('parseSnapshotTable() finds the store of a snapshot that is kept on disk', () => {
  assert.deepEqual(parseSnapshotTable('0 204800 snapshot 253:4 253:5 P 8\n'), {
    length: '204800',
    store: '253:5',
  })
})

test('parseSnapshotTable() refuses every other table', () => {
  const tables = [
    '',
    '0 204800 linear 8:16 2048\n',
    '0 204800 snapshot 253:4 253:5 N 8\n',
    '0 204800 snapshot-merge 253:4 253:5 P 8\n',
    '0 8 snapshot 253:4 253:5 P 8\n8 8 linear 8:16 2048\n',
  ]
  for (const table of tables) assert.throws(() => parseSnapshotTable(table), RangeError, table)
})
