import assert from 'node:assert/strict'
import { test } from 'node:test'

import { BlockRangeCollector } from './block-range-collector.ts'

test('BlockRangeCollector joins runs that touch, and turns blocks into bytes', () => {
  const out = new BlockRangeCollector(1000)
  for (const [begin, end] of [
    [0, 1],
    [1, 3],
    [5, 6],
    [6, 7],
    [9, 10],
  ] as const)
    out.add(begin, end)
  assert.deepEqual(
    [...out.rest()],
    [
      [
        { offset: 0, length: 3000 },
        { offset: 5000, length: 2000 },
        { offset: 9000, length: 1000 },
      ],
    ],
  )
  assert.deepEqual([...out.rest()], [])
})

test('BlockRangeCollector is full after a batch', () => {
  const out = new BlockRangeCollector(1)
  for (let block = 0; block < 10_000; block += 2) out.add(block, block + 1)
  assert.equal(out.isFull, true)
  const taken = out.take()
  const rest = [...out.rest()].flat()
  assert.equal(taken.length + rest.length, 5000)
  assert.equal(out.isFull, false)
})
