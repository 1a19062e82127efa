import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import type { RangeBatch } from '../domain/range.ts'
import { anyRanges, collect, membership, rangesOf, sizeOf } from '../../test/extents/byte-model.ts'
import { intersectRanges } from './intersect-ranges.ts'

test('intersectRanges() has the bytes that are in both', async () => {
  await fc.assert(
    fc.asyncProperty(anyRanges, anyRanges, async (first, second) => {
      const sizeBytes = Math.max(sizeOf(first), sizeOf(second))
      const inSecond = membership(second, sizeBytes)
      const expected = membership(first, sizeBytes).map((inFirst, byte) => inFirst && inSecond[byte] === true)
      assert.deepEqual(await collect(intersectRanges(first, second)), rangesOf(expected))
    }),
  )
})

test('intersectRanges() stops reading when one input ends, and closes the other', async () => {
  let closed = false
  async function* endless(): AsyncGenerator<RangeBatch> {
    try {
      for (let offset = 0; ; offset += 10) {
        await Promise.resolve()
        yield [{ offset, length: 5 }]
      }
    } finally {
      closed = true
    }
  }
  const found = await collect(intersectRanges([[{ offset: 12, length: 10 }]], endless()))
  assert.deepEqual(found, [
    { offset: 12, length: 3 },
    { offset: 20, length: 2 },
  ])
  assert(closed)
})

test('intersectRanges() closes its inputs when it is left early', async () => {
  const closed: string[] = []
  async function* watched(name: string): AsyncGenerator<RangeBatch> {
    try {
      for (let offset = 0; ; offset += 10) {
        await Promise.resolve()
        yield [{ offset, length: 5 }]
      }
    } finally {
      closed.push(name)
    }
  }
  for await (const batch of intersectRanges(watched('first'), watched('second'))) {
    assert.equal(batch.length, 4096)
    break
  }
  assert.deepEqual(closed.toSorted(), ['first', 'second'])
})
