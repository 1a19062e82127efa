import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import type { Range } from '../domain/range.ts'
import { PLACES } from '../repository/tree-node.ts'
import {
  addPlace,
  countPlaces,
  intersectMasks,
  isEmptyMask,
  isPlaceIn,
  leafMasks,
  MASK_SIZE,
  subtractMasks,
  unionMasks,
} from './leaf-mask.ts'

const CHUNK = 4096
const places = fc.uniqueArray(fc.nat(PLACES - 1), { maxLength: PLACES })

const ascending = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b)

function maskOf(list: readonly number[]): Uint8Array {
  const mask = new Uint8Array(MASK_SIZE)
  for (const place of list) addPlace(mask, place)
  return mask
}

function placesOf(mask: Uint8Array): number[] {
  return Array.from({ length: PLACES }, (_, place) => place).filter((place) => isPlaceIn(mask, place))
}

test('masks are sets of places', () => {
  fc.assert(
    fc.property(places, places, (a, b) => {
      assert.deepEqual(placesOf(maskOf(a)), ascending(a))
      assert.equal(countPlaces(maskOf(a)), a.length)
      assert.equal(isEmptyMask(maskOf(a)), a.length === 0)
      assert.deepEqual(placesOf(unionMasks(maskOf(a), maskOf(b))), ascending([...new Set([...a, ...b])]))
      assert.deepEqual(
        placesOf(intersectMasks(maskOf(a), maskOf(b))),
        ascending(a.filter((one) => b.includes(one))),
      )
      assert.deepEqual(
        placesOf(subtractMasks(maskOf(a), maskOf(b))),
        ascending(a.filter((one) => !b.includes(one))),
      )
    }),
  )
})

const ranges = fc
  .array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 700 })), { maxLength: 12 })
  .map((steps) => {
    const list: Range[] = []
    let at = 0
    for (const [gap, count] of steps) {
      list.push({ offset: (at + gap) * CHUNK, length: count * CHUNK })
      at += gap + count
    }
    return list
  })

test('leafMasks() cuts ranges into leaves, ascending, each once, whatever the batches', async () => {
  await fc.assert(
    fc.asyncProperty(ranges, fc.nat(3), fc.nat(CHUNK - 1), async (list, batchLength, cut) => {
      const expected = list.flatMap(({ offset, length }) =>
        Array.from({ length: length / CHUNK }, (_, index) => offset / CHUNK + index),
      )
      // The last range may end with an image that ends inside a chunk.
      const shortened = list.map((range, index) =>
        index === list.length - 1 ? { ...range, length: range.length - cut } : range,
      )
      const found: number[] = []
      let lastLeaf = -1
      for await (const { leafIndex, mask } of leafMasks(batchesOf(shortened, batchLength + 1), CHUNK)) {
        assert.ok(leafIndex > lastLeaf)
        assert.ok(!isEmptyMask(mask))
        lastLeaf = leafIndex
        found.push(...placesOf(mask).map((place) => leafIndex * PLACES + place))
      }
      assert.deepEqual(found, expected)
    }),
  )
})

async function* batchesOf(list: readonly Range[], length: number): AsyncGenerator<readonly Range[]> {
  for (let at = 0; at < list.length; at += length) yield await Promise.resolve(list.slice(at, at + length))
}
