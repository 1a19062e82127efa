import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as assertProperty, integer, property, tuple } from 'fast-check'

import { Coverage } from './coverage.ts'

const LENGTH = 24

test('add() refuses exactly what was answered before or lies outside, in any order', () => {
  const part = tuple(integer({ min: -2, max: LENGTH }), integer({ min: 0, max: LENGTH }))
  assertProperty(
    property(array(part, { maxLength: 30 }), (parts) => {
      const coverage = new Coverage(LENGTH)
      const model = new Set<number>()
      for (const [start, length] of parts) {
        const bytes = Array.from({ length }, (_, i) => start + i)
        const isNew =
          length > 0 && start >= 0 && start + length <= LENGTH && !bytes.some((at) => model.has(at))
        if (isNew) {
          coverage.add(start, length)
          for (const at of bytes) model.add(at)
        } else assert.throws(() => coverage.add(start, length), RangeError)
        assert.equal(coverage.isWhole, model.size === LENGTH)
      }
    }),
  )
})
