import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { Crc32cChange } from './crc32c-change.ts'
import { crc32c } from './crc32c.ts'

test('Crc32cChange gives the checksum of what was changed', () => {
  const word = fc.tuple(fc.nat(1022), fc.integer())
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.array(word), (seed, words) => {
      const before = Uint8Array.from({ length: 4092 }, (_, i) => (seed[i % 4] ?? 0) ^ (i * 7))
      const after = before.slice()
      const view = new DataView(after.buffer)
      const change = new Crc32cChange()
      const differences = new Map(words)
      for (const [index, difference] of [...differences].toSorted(([a], [b]) => a - b)) {
        view.setInt32(4 * index, view.getInt32(4 * index, true) ^ difference, true)
        change.add(index, difference)
      }
      assert.equal(change.applyTo(crc32c(before), 1023), crc32c(after))
    }),
  )
})
