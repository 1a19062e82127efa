import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as assertProperty, nat, property, tuple } from 'fast-check'

import { RangeSet } from './range-set.ts'

test('RangeSet tells which ranges touch one of its own', () => {
  const pieces = array(tuple(nat(5), nat(5)), { maxLength: 12 })
  assertProperty(
    property(pieces, nat(80), nat(12), (gapsAndLengths, offset, more) => {
      const set = new RangeSet()
      const inside = new Set<number>()
      let at = 0
      for (const [gap, extra] of gapsAndLengths) {
        at += gap
        set.add({ offset: at, length: extra + 1 })
        for (let end = at + extra + 1; at < end; at += 1) inside.add(at)
      }
      const range = { offset, length: more + 1 }
      const expected = Array.from({ length: range.length }, (_, index) => offset + index).some((byte) =>
        inside.has(byte),
      )
      assert.equal(set.touches(range), expected)
      assert.equal(set.isEmpty, inside.size === 0)
    }),
  )
})
