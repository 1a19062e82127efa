import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyPartialMap, collect, DEVICE_BYTES } from '../../test/extents/byte-model.ts'
import type { Extent } from '../domain/extent.ts'
import { invertExtents } from './invert-extents.ts'

test('invertExtents() has every byte on the device, at its place, in order', async () => {
  const anyWindow = fc.option(fc.record({ offset: fc.nat(30), length: fc.integer({ min: 1, max: 20 }) }))
  await fc.assert(
    fc.asyncProperty(anyPartialMap, fc.nat(1), anyWindow, async (map, device, window) => {
      const { offset: from, length: size } = window ?? { offset: 0, length: DEVICE_BYTES }
      const expected: string[] = []
      for (const extent of map.flat()) {
        if (extent.kind !== 'data' || extent.device !== device) continue
        for (let byte = 0; byte < extent.length; byte += 1) {
          const place = extent.physicalOffset + byte
          if (from <= place && place < from + size) expected.push(`${place}: ${extent.offset + byte}`)
        }
      }
      const options = window === null ? { device } : { device, window }
      const inverted = await collect(invertExtents(map, options))
      const found = inverted.flatMap(({ offset, length, physicalOffset }) =>
        Array.from({ length }, (_, byte) => `${physicalOffset + byte}: ${offset + byte}`),
      )
      assert.deepEqual(found.toSorted(), expected.toSorted())
      const order = inverted.map(({ physicalOffset, offset }) => physicalOffset * 1000 + offset)
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    }),
  )
})

test('invertExtents() refuses more extents than it may hold', async () => {
  const map = [0, 1, 2].map((index): Extent => {
    return { kind: 'data', offset: index, length: 1, device: 0, physicalOffset: 10 - 2 * index }
  })
  assert.equal((await collect(invertExtents([map], { device: 0, extentCountMax: 3 }))).length, 3)
  await assert.rejects(collect(invertExtents([map], { device: 0, extentCountMax: 2 })), {
    name: 'RangeError',
    message: 'Cannot invert map: found 3 extents on device 0, limit is 2',
  })
})
