import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { BlockReader } from './block-reader.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'

/** An image of 1000 blocks, each of which begins with its number. */
function numberedImage(reads: number[][]): FrozenImage {
  return {
    sizeBytes: 1000 * 4096,
    sectorSizeBytes: 512,
    extents: () => {
      throw new Error('nobody asks')
    },
    readInto: (target, offset) => {
      assert(offset % 4096 === 0 && offset + target.byteLength <= 1000 * 4096)
      reads.push([offset / 4096, target.byteLength / 4096])
      const view = new DataView(target.buffer, target.byteOffset)
      for (let at = 0; at < target.byteLength; at += 4096) view.setUint32(at, (offset + at) / 4096, true)
      return Promise.resolve()
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

test('BlockReader reads any blocks in any order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.nat(999))), async (calls) => {
      const reads: number[][] = []
      const reader = new BlockReader(numberedImage(reads))
      for (const blocks of calls) {
        reads.length = 0
        const { view, starts } = await reader.read(blocks)
        assert.deepEqual(
          starts.map((start) => view.getUint32(start, true)),
          blocks,
        )
        const readCount = reads.reduce((sum, [, count = 0]) => sum + count, 0)
        assert(readCount <= 2 * blocks.length)
      }
    }),
  )
})

test('BlockReader reads neighbours at once, and over small gaps', async () => {
  const reads: number[][] = []
  const reader = new BlockReader(numberedImage(reads))
  await reader.read([7, 5, 6, 900, 6, 9, 40])
  assert.deepEqual(reads, [
    [5, 5],
    [40, 1],
    [900, 1],
  ])
})
