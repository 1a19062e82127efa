import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { ascendingOrder } from './ascending-order.ts'
import { NumberColumn } from './number-column.ts'

test('ascendingOrder() is the stable order of the keys', () => {
  const anyKey = fc.oneof(
    fc.maxSafeNat(),
    fc.nat(5),
    fc.nat(50).map((n) => n * 2 ** 40),
  )
  fc.assert(
    fc.property(fc.array(anyKey), (keys) => {
      const column = new NumberColumn()
      for (const key of keys) column.push(key)
      const expected = [...keys.keys()].toSorted((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b)
      assert.deepEqual([...ascendingOrder(column)], expected)
    }),
  )
})

test('NumberColumn keeps its values while it grows', () => {
  const column = new NumberColumn()
  for (let value = 0; value < 5000; value += 1) column.push(3 * value)
  assert.equal(column.length, 5000)
  assert.equal(column.at(4999), 14_997)
  assert.deepEqual(
    [-1, 0, 2, 3, 14_997, 99_999].map((limit) => column.lastAtMost(limit)),
    [-1, 0, 0, 1, 4999, 4999],
  )
})
