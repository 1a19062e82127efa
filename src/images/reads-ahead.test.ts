import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { bytesImage } from '../../test/support/bytes-image.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import type { Range } from '../domain/range.ts'
import { cachedImage } from './cached-image.ts'
import { ReadsAhead } from './reads-ahead.ts'
import { sliceImage } from './slice-image.ts'

const PIECE_BYTES = 8
/** Behind each piece something lies that is not wanted: no two are one read. */
const STEP_BYTES = 2 * PIECE_BYTES
const COUNT = 100

/** An image whose reads end when `finish` is called. */
function slowImage(): {
  readonly image: FrozenImage
  readonly underWay: Set<number>
  readonly finish: () => void
} {
  const plain = bytesImage(Uint8Array.from({ length: STEP_BYTES * COUNT }, (_, index) => index / STEP_BYTES))
  const underWay = new Set<number>()
  let gate = Promise.withResolvers<void>()
  return {
    underWay,
    image: {
      ...plain,
      readInto: async (target, offset) => {
        underWay.add(offset / STEP_BYTES)
        await gate.promise
        underWay.delete(offset / STEP_BYTES)
        await plain.readInto(target, offset)
      },
    },
    finish: () => {
      gate.resolve()
      gate = Promise.withResolvers<void>()
    },
  }
}

function* pieces(): Generator<Range> {
  for (let index = 0; index < COUNT; index += 1) yield { offset: index * STEP_BYTES, length: PIECE_BYTES }
}

test('ReadsAhead gives pieces in order, and has the next ones under way', async () => {
  const { image, underWay, finish } = slowImage()
  await using ahead = new ReadsAhead(image, pieces())
  const first = ahead.next()
  assert.deepEqual([...underWay], [...Array(32).keys()])
  finish()
  assert.deepEqual([...(await first)], Array(8).fill(0))
  for (let index = 1; index < COUNT; index += 1) {
    const piece = ahead.next()
    await nextTurn()
    assert.ok(underWay.size <= 32)
    finish()
    assert.deepEqual([...(await piece)], Array(8).fill(index))
  }
  await assert.rejects(ahead.next(), RangeError)
})

test('ReadsAhead tells of a failure who needs the piece, and nobody else', async () => {
  const plain = bytesImage(new Uint8Array(STEP_BYTES * COUNT))
  const image: FrozenImage = {
    ...plain,
    readInto: (target, offset) =>
      offset === 2 * STEP_BYTES ? Promise.reject(new Error('EIO')) : plain.readInto(target, offset),
  }
  {
    await using ahead = new ReadsAhead(image, pieces())
    await ahead.next()
    await ahead.next()
    await assert.rejects(ahead.next(), /EIO/)
    await ahead.next()
  }
  await using unfinished = new ReadsAhead(image, pieces())
  await unfinished.next()
})

test('ReadsAhead, disposed of, waits for what is under way', async () => {
  const { image, underWay, finish } = slowImage()
  const ahead = new ReadsAhead(image, pieces())
  const first = ahead.next()
  finish()
  await first
  const disposed = ahead[Symbol.asyncDispose]()
  finish()
  await disposed
  assert.equal(underWay.size, 0)
})

test('ReadsAhead reads at once what lies one behind the other, past a cache where it may', async () => {
  const blockBytes = 4096
  const plain = bytesImage(
    Uint8Array.from({ length: 64 * blockBytes }, (_, index) => Math.floor(index / blockBytes)),
  )
  const reads: (readonly [number, number])[] = []
  const image: FrozenImage = {
    ...plain,
    readInto: async (target, offset) => {
      reads.push([offset / blockBytes, target.byteLength / blockBytes])
      await plain.readInto(target, offset)
    },
  }
  const blocks = [0, ...Array.from({ length: 20 }, (_, index) => 2 + index), 40]
  for (const part of [
    cachedImage(image),
    sliceImage(cachedImage(image), { offset: 0, length: 50 * blockBytes }),
  ]) {
    reads.length = 0
    await using ahead = new ReadsAhead(
      part,
      blocks.map((block) => ({ offset: block * blockBytes, length: blockBytes })),
    )
    for (const block of blocks) assert.deepEqual(await ahead.next(), new Uint8Array(blockBytes).fill(block))
    await assert.rejects(ahead.next(), RangeError)
    // No more than 64 KiB at once.
    assert.deepEqual(reads, [
      [0, 1],
      [2, 16],
      [18, 4],
      [40, 1],
    ])
  }
})

test('ReadsAhead reads through the cache what the disk would refuse', async () => {
  const plain = bytesImage(Uint8Array.from({ length: 65_536 }, (_, index) => index % 251))
  const image: FrozenImage = {
    ...plain,
    sectorSizeBytes: 4096,
    readInto: async (target, offset) => {
      assert.equal(offset % 4096, 0)
      assert.equal(target.byteLength % 4096, 0)
      await plain.readInto(target, offset)
    },
  }
  const wanted = [
    { offset: 1024, length: 1024 },
    { offset: 8192, length: 4096 },
  ]
  const shifted = sliceImage(cachedImage(image), { offset: 512, length: 32_768 })
  for (const part of [cachedImage(image), shifted]) {
    await using ahead = new ReadsAhead(part, wanted)
    for (const { offset, length } of wanted) {
      const bytes = new Uint8Array(length)
      await part.readInto(bytes, offset)
      assert.deepEqual(await ahead.next(), bytes)
    }
  }
})
