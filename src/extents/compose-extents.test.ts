import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import type { Extent } from '../domain/extent.ts'
import {
  anyMap,
  anyPartialMap,
  assertNormal,
  collect,
  DEVICE_BYTES,
  ownership,
  sizeOf,
} from '../../test/extents/byte-model.ts'
import { composeExtents } from './compose-extents.ts'
import { ExtentTable } from './extent-table.ts'

/** The map, made as long as the devices of the other maps. */
function asLayer(map: Extent[][]): Extent[][] {
  const offset = sizeOf(map)
  if (offset >= DEVICE_BYTES) return map
  return [...map, [{ kind: 'zero', offset, length: DEVICE_BYTES - offset }]]
}

test('composeExtents() says what the layer below says about the place of each byte', async () => {
  await fc.assert(
    fc.asyncProperty(anyPartialMap, anyMap.map(asLayer), anyMap.map(asLayer), async (map, layer0, layer1) => {
      const below = [layer0, layer1].map((layer) => ownership(layer, sizeOf(layer)))
      const expected = ownership(map, sizeOf(map)).map((owner) => {
        const place = /^(\d)@(\d+)$/.exec(owner ?? '')
        return place === null ? owner : below[Number(place[1])]?.[Number(place[2])]
      })
      const tables = await Promise.all(
        [layer0, layer1].map((layer) => ExtentTable.read(layer, { sizeBytes: sizeOf(layer) })),
      )
      const composed = await collect(composeExtents(map, tables))
      assert.deepEqual(ownership([composed], sizeOf(map)), expected)
      assertNormal(composed)
    }),
  )
})

function data(device: number, physicalOffset: number): Extent[][] {
  return [[{ kind: 'data', offset: 0, length: 10, device, physicalOffset }]]
}

test('composeExtents() refuses unknown devices and places beyond the end of a layer', async () => {
  const layer = await ExtentTable.read([[{ kind: 'zero', offset: 0, length: 100 }]], { sizeBytes: 100 })
  await assert.rejects(collect(composeExtents(data(1, 0), [layer])), {
    name: 'RangeError',
    message: 'Cannot resolve extent 0+10: found device 1, there are 1',
  })
  await assert.rejects(collect(composeExtents(data(0, 91), [layer])), {
    name: 'RangeError',
    message: 'Cannot look up 91+10: image has 100 bytes',
  })
  assert.deepEqual(await collect(composeExtents(data(0, 90), [layer])), [
    { kind: 'zero', offset: 0, length: 10 },
  ])
})
