import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { BlockReader } from './block-reader.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'

/** An image of blocks each of which begins with its number. */
function numberedImage(reads: number[][], blockCount = 1000): FrozenImage {
  return {
    sizeBytes: blockCount * 4096,
    sectorSizeBytes: 512,
    extents: () => {
      throw new Error('nobody asks')
    },
    readInto: (target, offset) => {
      assert(offset % 4096 === 0 && offset + target.byteLength <= blockCount * 4096)
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
        for (const read of reads) assertFewGaps(read, blocks)
      }
    }),
  )
})

test('BlockReader reads neighbours at once, and over small gaps', async () => {
  const reads: number[][] = []
  const reader = new BlockReader(numberedImage(reads))
  await reader.read([7, 5, 6, 900, 6, 9, 80])
  assert.deepEqual(reads, [
    [5, 5],
    [80, 1],
    [900, 1],
  ])
})

test('BlockReader jumps over small gaps too when there are very many', async () => {
  const reads: number[][] = []
  const reader = new BlockReader(numberedImage(reads, 60_000))
  await reader.read(Array.from({ length: 2000 }, (_, at) => 30 * at))
  const blockCount = reads.reduce((sum, [, count = 0]) => sum + count, 0)
  assert(blockCount > 4000 && blockCount <= 4096, `${blockCount}`)
})

/** A read begins and ends with what was wanted, and no gap in it is large. */
function assertFewGaps([begin = 0, count = 0]: readonly number[], blocks: readonly number[]): void {
  const end = begin + count
  const wanted = blocks.filter((block) => block >= begin && block < end).toSorted((a, b) => a - b)
  assert.equal(wanted[0], begin)
  assert.equal(wanted.at(-1), end - 1)
  for (const [index, block] of wanted.entries()) assert(block - (wanted[index - 1] ?? block) <= 33)
}
