import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as assertProperty, asyncProperty, boolean, integer, tuple } from 'fast-check'
import type { Range } from '../domain/range.ts'
import { RangeTable } from './range-table.ts'

const pieces = array(tuple(integer({ min: 1, max: 50 }), boolean()), { maxLength: 200 })

test('RangeTable gives back what it read, touching ranges as one', async () => {
  await assertProperty(
    asyncProperty(pieces, async (lengths) => {
      const ranges: Range[] = []
      const bytes: boolean[] = []
      let offset = 0
      for (const [length, isIn] of lengths) {
        if (isIn) ranges.push({ offset, length })
        bytes.push(...Array.from({ length }, () => isIn))
        offset += length
      }
      const table = await RangeTable.read([ranges.slice(0, 3), ranges.slice(3)])
      const found = [...table.batches()].flat()
      const covered = bytes.map((_, at) =>
        found.some((one) => at >= one.offset && at < one.offset + one.length),
      )
      assert.deepEqual(covered, bytes)
      assert.equal(table.lengthBytes, bytes.filter(Boolean).length)
      for (const [index, range] of found.entries()) {
        const last = found[index - 1]
        assert.ok(last === undefined || range.offset > last.offset + last.length)
      }
      assert.equal(table.count, found.length)
    }),
    { numRuns: 100 },
  )
})

test('RangeTable.read() refuses what is not ascending, and more than it may hold', async () => {
  const backwards = [
    [
      { offset: 10, length: 5 },
      { offset: 0, length: 5 },
    ],
  ]
  await assert.rejects(RangeTable.read(backwards), RangeError)
  const many = [Array.from({ length: 12 }, (_, index) => ({ offset: index * 10, length: 5 }))]
  await assert.rejects(RangeTable.read(many, 10), /more than 10/)
})
