import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLeafExtents } from './fs-blocks.ts'

test('parseLeafExtents() reads what debugfs lists', () => {
  const listing = [
    'Level Entries       Logical            Physical Length Flags',
    ' 1/ 1   1/  2      0 -  32767   34816 -   67583  32768 ',
    ' 1/ 1   2/  2  32768 -  33000 1067584 - 1067816    233 Uninit',
  ].join('\n')
  assert.deepEqual(parseLeafExtents(listing), [
    { firstBlock: 34_816, blockCount: 32_768 },
    { firstBlock: 1_067_584, blockCount: 233 },
  ])
})
