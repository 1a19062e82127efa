import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { bytesImage } from '../../test/support/bytes-image.ts'
import type { Extent, ExtentBatch } from '../domain/extent.ts'
import { overlayExtents, overlayImage, type BlockOverlay } from './overlay-image.ts'
import { readBytes } from './read-bytes.ts'

const SIGNAL = new AbortController().signal
const BLOCK_SIZE = 8
const BLOCK_COUNT = 12
const SIZE = BLOCK_SIZE * BLOCK_COUNT
const BELOW = Uint8Array.from({ length: SIZE }, (_, index) => index + 1)
const HEAD = Uint8Array.of(201, 202, 203, 204)

const anyBlock = fc.nat(BLOCK_COUNT - 1)
const anyReplaced = fc.uniqueArray(fc.record({ block: anyBlock, source: anyBlock, hasHead: fc.boolean() }), {
  selector: ({ block }) => block,
})
type Replaced = { readonly block: number; readonly source: number; readonly hasHead: boolean }
const anyRange = fc
  .tuple(fc.nat(SIZE - 1), fc.integer({ min: 1, max: SIZE }))
  .map(([offset, length]) => ({ offset, length: Math.min(length, SIZE - offset) }))

function overlayOf(replaced: readonly Replaced[]): BlockOverlay {
  const ascending = replaced.toSorted((a, b) => a.block - b.block)
  return {
    blockSizeBytes: BLOCK_SIZE,
    blocks: Float64Array.from(ascending, ({ block }) => block),
    sources: Float64Array.from(ascending, ({ source }) => source * BLOCK_SIZE),
    heads: new Map(ascending.filter(({ hasHead }) => hasHead).map(({ block }) => [block, HEAD])),
  }
}

/** What the bytes have to be, made by copying. */
function copied(replaced: readonly Replaced[]): Uint8Array {
  const bytes = BELOW.slice()
  for (const { block, source, hasHead } of replaced) {
    bytes.set(BELOW.subarray(source * BLOCK_SIZE, (source + 1) * BLOCK_SIZE), block * BLOCK_SIZE)
    if (hasHead) bytes.set(HEAD, block * BLOCK_SIZE)
  }
  return bytes
}

async function bytesOf(map: AsyncIterable<ExtentBatch>, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let position = start
  for await (const batch of map) {
    for (const extent of batch) {
      assert.equal(extent.offset, position)
      position += extent.length
      bytes.set(contentOf(extent), extent.offset - start)
    }
  }
  assert.equal(position, start + length)
  return bytes
}

function contentOf(extent: Extent): Uint8Array {
  if (extent.kind === 'inline') return extent.bytes
  if (extent.kind === 'zero') return new Uint8Array(extent.length)
  return BELOW.subarray(extent.physicalOffset, extent.physicalOffset + extent.length)
}

test('overlayImage() reads what a copy with the blocks written over holds', async () => {
  await fc.assert(
    fc.asyncProperty(anyReplaced, anyRange, async (replaced, { offset, length }) => {
      const image = overlayImage(bytesImage(BELOW), overlayOf(replaced))
      const expected = copied(replaced).slice(offset, offset + length)
      assert.deepEqual(await readBytes(image, offset, length), expected)
    }),
  )
})

test('overlayImage() maps its bytes to where they lie below', async () => {
  await fc.assert(
    fc.asyncProperty(anyReplaced, anyRange, async (replaced, range) => {
      const image = overlayImage(bytesImage(BELOW), overlayOf(replaced))
      const { offset, length } = range
      const expected = copied(replaced).slice(offset, offset + length)
      assert.deepEqual(await bytesOf(image.extents(range, SIGNAL), offset, length), expected)
    }),
  )
})

test('overlayExtents() maps a file to where its newest bytes lie', async () => {
  await fc.assert(
    fc.asyncProperty(anyReplaced, anyRange, async (replaced, { offset, length }) => {
      const overlay = overlayOf(replaced)
      const overlaid = overlayImage(bytesImage(BELOW), overlay)
      const file: Extent[] = [
        { kind: 'zero', offset: 0, length: 5 },
        { kind: 'data', offset: 5, length, device: 0, physicalOffset: offset },
      ]
      const expected = new Uint8Array(5 + length)
      expected.set(copied(replaced).subarray(offset, offset + length), 5)
      const map = overlayExtents(batches([file]), overlaid, overlay)
      assert.deepEqual(await bytesOf(map, 0, 5 + length), expected)
    }),
  )
})

async function* batches(maps: Extent[][]): AsyncGenerator<ExtentBatch> {
  for (const map of maps) yield await Promise.resolve(map)
}
