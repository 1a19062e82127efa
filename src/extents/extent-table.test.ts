import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyMap, collect, ownership, sizeOf } from '../../test/extents/byte-model.ts'
import type { Extent } from '../domain/extent.ts'
import { ExtentTable } from './extent-table.ts'
import { normaliseExtents } from './normalise-extents.ts'

test('extentsIn() gives back the map, whole and in parts', async () => {
  const anyShares = fc.tuple(fc.nat(100), fc.nat(100))
  await fc.assert(
    fc.asyncProperty(anyMap, anyShares, async (map, [a, b]) => {
      const sizeBytes = sizeOf(map)
      if (sizeBytes === 0) return
      const table = await ExtentTable.read(map, { sizeBytes })
      const whole = table.extentsIn({ offset: 0, length: sizeBytes })
      assert.deepEqual([...whole], await collect(normaliseExtents(map, { endOffset: sizeBytes })))

      const offset = a % sizeBytes
      const length = 1 + (b % (sizeBytes - offset))
      const owners = ownership([[...table.extentsIn({ offset, length })]], sizeBytes)
      const expected = ownership(map, sizeBytes)
      assert.deepEqual(owners.slice(offset, offset + length), expected.slice(offset, offset + length))
      assert.equal(owners.filter((owner) => owner !== undefined).length, length)
    }),
  )
})

test('ExtentTable.read() refuses more extents than it may hold, and maps with gaps', async () => {
  const map = Array.from({ length: 5000 }, (_, index): Extent => {
    return { kind: 'data', offset: index, length: 1, device: 0, physicalOffset: 2 * index }
  })
  const table = await ExtentTable.read([map], { sizeBytes: 5000, extentCountMax: 5000 })
  assert.equal(table.count, 5000)
  await assert.rejects(ExtentTable.read([map], { sizeBytes: 5000, extentCountMax: 4999 }), {
    name: 'RangeError',
    message: 'Cannot hold map in memory: found 5000 extents and 0 inline bytes, limits are 4999 and 67108864',
  })
  await assert.rejects(ExtentTable.read([map.slice(1)], { sizeBytes: 5000 }), RangeError)
})
