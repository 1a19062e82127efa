import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { bytesImage } from '../../test/support/bytes-image.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import type { Range } from '../domain/range.ts'
import { ReadsAhead } from './reads-ahead.ts'

const PIECE_BYTES = 8
const COUNT = 100

/** An image whose reads end when `finish` is called. */
function slowImage(): {
  readonly image: FrozenImage
  readonly underWay: Set<number>
  readonly finish: () => void
} {
  const plain = bytesImage(
    Uint8Array.from({ length: PIECE_BYTES * COUNT }, (_, index) => index / PIECE_BYTES),
  )
  const underWay = new Set<number>()
  let gate = Promise.withResolvers<void>()
  return {
    underWay,
    image: {
      ...plain,
      readInto: async (target, offset) => {
        underWay.add(offset / PIECE_BYTES)
        await gate.promise
        underWay.delete(offset / PIECE_BYTES)
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
  for (let index = 0; index < COUNT; index += 1) yield { offset: index * PIECE_BYTES, length: PIECE_BYTES }
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
  const plain = bytesImage(new Uint8Array(PIECE_BYTES * COUNT))
  const image: FrozenImage = {
    ...plain,
    readInto: (target, offset) =>
      offset === 2 * PIECE_BYTES ? Promise.reject(new Error('EIO')) : plain.readInto(target, offset),
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
