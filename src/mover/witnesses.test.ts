import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import type { Range } from '../domain/range.ts'
import { chunksAt, countChunks, drawRanks, missProbability } from './witnesses.ts'

const CHUNK = 4096

test('drawRanks() draws different ranks, ascending, as many as there are at most', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(250), fc.integer(), (candidateCount, count, seed) => {
      const ranks = drawRanks(seededRandomness(seed), { candidateCount, count })
      assert.equal(ranks.length, Math.min(count, candidateCount))
      for (const [index, rank] of ranks.entries()) {
        assert.ok(Number.isInteger(rank) && rank < candidateCount && rank > (ranks[index - 1] ?? -1))
      }
    }),
  )
})

test('drawRanks() draws every rank, and every pair of ranks, equally often', () => {
  const [candidateCount, count, drawCount] = [12, 4, 20_000]
  const randomness = seededRandomness(42)
  const single = new Map<number, number>()
  const pairs = new Map<string, number>()
  for (let draw = 0; draw < drawCount; draw += 1) {
    const ranks = drawRanks(randomness, { candidateCount, count })
    for (const [index, rank] of ranks.entries()) {
      single.set(rank, (single.get(rank) ?? 0) + 1)
      for (const other of ranks.slice(index + 1)) {
        const pair = `${rank} ${other}`
        pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
      }
    }
  }
  assert.equal(single.size, candidateCount)
  assert.equal(pairs.size, (candidateCount * (candidateCount - 1)) / 2)
  requireEven(single, { draws: drawCount, share: count / candidateCount })
  const pairShare = (count * (count - 1)) / (candidateCount * (candidateCount - 1))
  requireEven(pairs, { draws: drawCount, share: pairShare })
})

/** Each count within five standard deviations of its expectation. */
function requireEven(counts: ReadonlyMap<unknown, number>, of: { draws: number; share: number }): void {
  const expected = of.draws * of.share
  const deviation = Math.sqrt(of.draws * of.share * (1 - of.share))
  for (const [key, count] of counts) {
    assert.ok(Math.abs(count - expected) < 5 * deviation, `${String(key)}: ${count}, expected ${expected}`)
  }
}

test('missProbability() is what a simulation finds', () => {
  const randomness = seededRandomness(7)
  for (const [candidateCount, witnessCount, lostCount] of [
    [50, 5, 3],
    [1000, 100, 10],
    [20, 10, 1],
  ] as const) {
    const runs = 4000
    let missed = 0
    for (let run = 0; run < runs; run += 1) {
      // Which chunks were lost makes no difference to a uniform draw: the first ones.
      const ranks = drawRanks(randomness, { candidateCount, count: witnessCount })
      if (ranks.every((rank) => rank >= lostCount)) missed += 1
    }
    const probability = missProbability({ candidateCount, witnessCount, lostCount })
    const deviation = Math.sqrt(probability * (1 - probability) * runs)
    assert.ok(Math.abs(missed - probability * runs) < 4 * deviation, `${missed} of ${runs}, ${probability}`)
  }
})

test('missProbability() is 1 without witnesses or losses, and 0 when no draw can miss', () => {
  assert.equal(missProbability({ candidateCount: 10, witnessCount: 0, lostCount: 3 }), 1)
  assert.equal(missProbability({ candidateCount: 10, witnessCount: 5, lostCount: 0 }), 1)
  assert.equal(missProbability({ candidateCount: 10, witnessCount: 8, lostCount: 3 }), 0)
  assert.equal(missProbability({ candidateCount: 0, witnessCount: 0, lostCount: 0 }), 1)
  assert.equal(missProbability({ candidateCount: 4, witnessCount: 4, lostCount: 1 }), 0)
})

const ranges = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 30 })), {
    minLength: 1,
    maxLength: 10,
  })
  .map((steps) => {
    const list: Range[] = []
    let at = 0
    for (const [gap, count] of steps) {
      list.push({ offset: (at + gap) * CHUNK, length: count * CHUNK })
      at += gap + count
    }
    return list
  })

/** The last chunk may be cut short, as at the end of an image. */
const cutRanges = fc
  .tuple(ranges, fc.nat(CHUNK - 1))
  .map(([whole, cut]) =>
    whole.map((range, index) =>
      index === whole.length - 1 ? { ...range, length: range.length - cut } : range,
    ),
  )

test('chunksAt() finds the chunks of the ranks, countChunks() their number, the last chunk cut short or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      cutRanges,
      fc.integer(),
      fc.integer({ min: 1, max: 3 }),
      async (list, seed, batchLength) => {
        const chunks = list.flatMap(({ offset, length }) =>
          Array.from({ length: Math.ceil(length / CHUNK) }, (_, index) => ({
            offset: offset + index * CHUNK,
            length: Math.min(CHUNK, length - index * CHUNK),
          })),
        )
        assert.equal(await countChunks(batchesOf(list, batchLength), CHUNK), chunks.length)
        const ranks = drawRanks(seededRandomness(seed), { candidateCount: chunks.length, count: 7 })
        const found = await Array.fromAsync(chunksAt(batchesOf(list, batchLength), ranks, CHUNK))
        assert.deepEqual(
          found.flat(),
          ranks.map((rank) => chunks[rank]),
        )
      },
    ),
  )
})

test('chunksAt() without ranks finds nothing', async () => {
  const found = await Array.fromAsync(chunksAt(batchesOf([{ offset: 0, length: CHUNK }], 1), [], CHUNK))
  assert.deepEqual(found, [])
})

async function* batchesOf(list: readonly Range[], length: number): AsyncGenerator<readonly Range[]> {
  for (let at = 0; at < list.length; at += length) yield await Promise.resolve(list.slice(at, at + length))
}
