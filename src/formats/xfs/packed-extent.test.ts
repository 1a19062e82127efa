import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { unpackExtent } from './packed-extent.ts'

test('unpackExtent() takes the four fields of 1, 54, 52 and 21 bits apart', () => {
  const anyExtent = fc.record({
    isUnwritten: fc.boolean(),
    startBlock: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
    volumeBlock: fc.bigInt({ min: 0n, max: 2n ** 52n - 1n }),
    blockCount: fc.bigInt({ min: 0n, max: 2n ** 21n - 1n }),
  })
  fc.assert(
    fc.property(anyExtent, ({ isUnwritten, startBlock, volumeBlock, blockCount }) => {
      const bits = (isUnwritten ? 1n << 127n : 0n) | (startBlock << 73n) | (volumeBlock << 21n) | blockCount
      const view = new DataView(new ArrayBuffer(17))
      view.setBigUint64(1, bits >> 64n)
      view.setBigUint64(9, bits & (2n ** 64n - 1n))
      assert.deepEqual(unpackExtent(view, 1), {
        isUnwritten,
        startBlock: Number(startBlock),
        volumeBlock: Number(volumeBlock),
        blockCount: Number(blockCount),
      })
    }),
  )
})
