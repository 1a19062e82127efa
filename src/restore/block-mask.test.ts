import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'

import { endOf, type Range } from '../domain/range.ts'
import { BlockMask } from './block-mask.ts'

const BLOCK_BYTES = 512
const SIZE_BYTES = 200 * BLOCK_BYTES

const anyRange = fc
  .tuple(fc.nat(SIZE_BYTES - 1), fc.integer({ min: 1, max: 20 * BLOCK_BYTES }))
  .map(([offset, length]) => ({ offset, length }))

function blocksOf(range: Range): number[] {
  const first = Math.floor(range.offset / BLOCK_BYTES)
  return Array.from({ length: Math.ceil(endOf(range) / BLOCK_BYTES) - first }, (_, index) => first + index)
}

/** Ascending, without overlaps. */
function inOrder(ranges: readonly Range[]): Range[] {
  const ordered: Range[] = []
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = ordered.at(-1)
    if (last === undefined || endOf(last) <= range.offset) ordered.push(range)
  }
  return ordered
}

test('BlockMask holds the blocks of its ranges but for those that were taken out', () => {
  fc.assert(
    fc.property(fc.array(anyRange), fc.array(anyRange), anyRange, (ranges, removed, asked) => {
      const made = inOrder(ranges)
      const mask = BlockMask.of(made, BLOCK_BYTES)
      assert(mask !== null)
      const model = new Set(made.flatMap(blocksOf))
      for (const range of removed) {
        const isIn = blocksOf(range).some((block) => model.has(block))
        assert.equal(mask.remove(range), isIn)
        for (const block of blocksOf(range)) model.delete(block)
      }
      assert.equal(
        mask.touches(asked),
        blocksOf(asked).some((block) => model.has(block)),
      )
      assert.deepEqual(
        [...mask.runs()].flatMap(blocksOf),
        [...model].toSorted((a, b) => a - b),
      )
      assert.equal(mask.isEmpty, model.size === 0)
    }),
  )
})

test('BlockMask.of() refuses more blocks than fit into memory', () => {
  assert.equal(BlockMask.of([{ offset: 0, length: 2 ** 45 }], 4096), null)
})
