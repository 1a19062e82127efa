import type { Range, RangeBatch } from '../domain/range.ts'
import type { Randomness } from '../domain/randomness.ts'

/** A share of the candidates that a wrong list might have lost, for which the ledger states the risk. */
export const STATED_LOST_SHARE = 0.01

/**
 * The chance that none of `witnessCount` chunks, drawn without replacement from `candidateCount`, is one of the
 * `lostCount` that the change list lost: the product of (candidates - lost - i) / (candidates - i).
 */
export function missProbability(draw: {
  readonly candidateCount: number
  readonly witnessCount: number
  readonly lostCount: number
}): number {
  let probability = 1
  for (let drawn = 0; drawn < draw.witnessCount; drawn += 1) {
    const left = draw.candidateCount - drawn
    if (left - draw.lostCount <= 0) return 0
    probability *= (left - draw.lostCount) / left
  }
  return probability
}

/** `count` different ranks below `candidateCount`, uniformly, ascending (Floyd's sampling). */
export function drawRanks(randomness: Randomness, draw: { candidateCount: number; count: number }): number[] {
  const ranks = new Set<number>()
  const count = Math.min(draw.count, draw.candidateCount)
  for (let limit = draw.candidateCount - count + 1; limit <= draw.candidateCount; limit += 1) {
    const rank = randomness.below(limit)
    ranks.add(ranks.has(rank) ? limit - 1 : rank)
  }
  return [...ranks].toSorted((a, b) => a - b)
}

/** The number of chunks in ranges that begin and end at chunks, or at the end of the image. */
export async function countChunks(
  ranges: AsyncIterable<RangeBatch>,
  chunkSizeBytes: number,
): Promise<number> {
  let count = 0
  for await (const batch of ranges) {
    for (const range of batch) count += Math.ceil(range.length / chunkSizeBytes)
  }
  return count
}

/** The chunks that have the given ranks among the chunks of `ranges`, each as a range. */
export async function* chunksAt(
  ranges: AsyncIterable<RangeBatch>,
  ranks: readonly number[],
  chunkSizeBytes: number,
): AsyncGenerator<RangeBatch> {
  let first = 0
  let next = 0
  for await (const batch of ranges) {
    const found: Range[] = []
    for (const range of batch) {
      const end = first + Math.ceil(range.length / chunkSizeBytes)
      for (let rank = ranks[next]; rank !== undefined && rank < end; rank = ranks[next]) {
        const offset = range.offset + (rank - first) * chunkSizeBytes
        found.push({ offset, length: Math.min(chunkSizeBytes, range.offset + range.length - offset) })
        next += 1
      }
      first = end
    }
    if (found.length > 0) yield found
    if (next === ranks.length) return
  }
}
