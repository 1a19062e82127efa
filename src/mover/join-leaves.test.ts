import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { joinLeaves } from './join-leaves.ts'
import { EMPTY_MASK, MASK_SIZE, type LeafMask } from './leaf-mask.ts'

const stream = fc
  .uniqueArray(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 255 })), {
    selector: ([leafIndex]) => leafIndex,
  })
  .map((leaves) => leaves.toSorted(([a], [b]) => a - b))

async function* masksOf(leaves: readonly (readonly [number, number])[]): AsyncGenerator<LeafMask> {
  for (const [leafIndex, fill] of leaves) {
    yield await Promise.resolve({ leafIndex, mask: new Uint8Array(MASK_SIZE).fill(fill) })
  }
}

test('joinLeaves() has every leaf of any stream once, ascending, with the mask of each', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stream, { maxLength: 4 }), async (streams) => {
      const joined = await Array.fromAsync(joinLeaves(streams.map(masksOf)))
      const leaves = [...new Set(streams.flatMap((one) => one.map(([leafIndex]) => leafIndex)))]
      assert.deepEqual(
        joined.map((leaf) => leaf.leafIndex),
        leaves.toSorted((a, b) => a - b),
      )
      for (const { leafIndex, masks } of joined) {
        const fills = streams.map((one) => one.find(([index]) => index === leafIndex)?.[1] ?? 0)
        assert.deepEqual(
          masks.map((mask) => mask[0]),
          fills,
        )
      }
    }),
  )
})

test('joinLeaves() closes its streams when it is left early, and passes a failure on', async () => {
  let closed = 0
  async function* watched(): AsyncGenerator<LeafMask> {
    try {
      for (let leafIndex = 0; ; leafIndex += 1) yield await Promise.resolve({ leafIndex, mask: EMPTY_MASK })
    } finally {
      closed += 1
    }
  }
  for await (const leaf of joinLeaves([watched(), watched()])) if (leaf.leafIndex === 3) break
  assert.equal(closed, 2)
  await assert.rejects(Array.fromAsync(joinLeaves([watched(), failing()])), /the map ends here/)
  assert.equal(closed, 3)
})

async function* failing(): AsyncGenerator<LeafMask> {
  yield await Promise.resolve({ leafIndex: 0, mask: EMPTY_MASK })
  throw new Error('the map ends here')
}
