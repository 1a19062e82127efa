import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diskStatistics, parseDiskStatistics } from './disk-statistics.ts'

test('parseDiskStatistics() reads a line of any kernel, and nothing else', () => {
  const old =
    '     446        0     3568      100       20        3      160       40        2      140      140'
  const wanted = { reads: 446, readMs: 100, writes: 20, writeMs: 40, inFlight: 2 }
  assert.deepEqual(parseDiskStatistics(old), wanted)
  assert.deepEqual(parseDiskStatistics(`${old}  0 0 0 0 1 1\n`), wanted)
  for (const line of ['', '1 2 3', 'a b c d e f g h i']) assert.equal(parseDiskStatistics(line), null)
})

test('diskStatistics() says nothing of disks that are not there', async () => {
  assert.equal(await diskStatistics(['999:999']), null)
  assert.equal(await diskStatistics([]), null)
})
