import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Extent } from '../domain/extent.ts'
import type { ExtentLayer } from '../extents/compose-extents.ts'
import { cutExtent } from '../extents/cut-extent.ts'
import { endOf } from '../domain/range.ts'
import { RangeSet } from './range-set.ts'
import { unchangedRanges } from './unchanged-ranges.ts'

function layerOf(...extents: readonly Extent[]): ExtentLayer {
  return {
    extentsIn: (range) =>
      extents.flatMap((extent) => {
        const offset = Math.max(extent.offset, range.offset)
        const length = Math.min(endOf(extent), endOf(range)) - offset
        return length > 0 ? [cutExtent(extent, { offset, length })] : []
      }),
  }
}

/** `place`: device and offset there. */
const data = (offset: number, length: number, place: readonly [number, number]): Extent => ({
  kind: 'data',
  offset,
  length,
  device: place[0],
  physicalOffset: place[1],
})

test('unchangedRanges() believes what lies at one place that did not change, and nothing else', () => {
  const changed = [new RangeSet(), new RangeSet()]
  changed[0]?.add({ offset: 1000, length: 100 })
  const before = layerOf(
    data(0, 100, [0, 950]),
    data(100, 100, [1, 0]),
    { kind: 'zero', offset: 200, length: 100 },
    data(300, 50, [0, 0]),
  )
  const after = layerOf(
    data(0, 100, [0, 950]),
    data(100, 50, [1, 0]),
    data(150, 50, [1, 50]),
    { kind: 'zero', offset: 200, length: 60 },
    data(260, 40, [0, 500]),
    data(300, 50, [0, 10]),
  )
  const images = [0, 1]
  const isUnchanged = unchangedRanges(
    { before: { layer: before, images }, after: { layer: after, images } },
    changed,
  )
  assert.equal(isUnchanged({ offset: 0, length: 50 }), true)
  assert.equal(isUnchanged({ offset: 0, length: 51 }), false) // The image changed there.
  assert.equal(isUnchanged({ offset: 100, length: 160 }), true) // Cut otherwise, and zeros.
  assert.equal(isUnchanged({ offset: 259, length: 2 }), false) // It was zeros.
  assert.equal(isUnchanged({ offset: 310, length: 5 }), false) // It lies elsewhere.
  assert.equal(isUnchanged({ offset: 349, length: 2 }), false)
  const swapped = { before: { layer: before, images: [1, 0] }, after: { layer: after, images } }
  assert.equal(unchangedRanges(swapped, changed)({ offset: 0, length: 10 }), false)
  const lost = { before: { layer: before, images: [null, 1] }, after: { layer: after, images } }
  assert.equal(unchangedRanges(lost, changed)({ offset: 0, length: 10 }), false)
})
