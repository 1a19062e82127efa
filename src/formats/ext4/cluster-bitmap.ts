// A block bitmap in memory: a bit for each cluster of a group, the lowest bit of the first byte for the first one.
import assert from 'node:assert/strict'
import type { BlockSpan } from './metadata-places.ts'

/** Calls `visit` with each longest run of bits that are set, ascending. */
export function visitSetRuns(
  words: Uint32Array,
  bitCount: number,
  visit: (start: number, end: number) => void,
): void {
  assert(bitCount <= 32 * words.length)
  let start = -1
  for (let index = 0; 32 * index < bitCount; index += 1) {
    const word = words[index] ?? 0
    const base = 32 * index
    if (word === (start === -1 ? 0 : 0xffffffff)) continue
    // A bit is set where a run begins or ends: where it differs from the bit below it.
    let edges = (word ^ ((word << 1) | (start === -1 ? 0 : 1))) >>> 0
    while (edges !== 0) {
      const bit = base + 31 - Math.clz32(edges & -edges)
      edges &= edges - 1
      if (bit >= bitCount) break
      if (start === -1) {
        start = bit
      } else {
        visit(start, bit)
        start = -1
      }
    }
  }
  if (start !== -1) visit(start, bitCount)
}

/** How many of the first `bitCount` bits are set. */
export function countSet(words: Uint32Array, bitCount: number): number {
  let count = 0
  const whole = bitCount >>> 5
  for (let index = 0; index < whole; index += 1) count += bitsOf(words[index] ?? 0)
  const rest = bitCount & 31
  return rest === 0 ? count : count + bitsOf((words[whole] ?? 0) & ((1 << rest) - 1))
}

function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Sets the bits of `run`, and returns how many were not set before. */
export function setBits(words: Uint32Array, run: BlockSpan): number {
  let added = 0
  const end = run.block + run.count
  let bit = run.block
  while (bit < end) {
    const index = bit >>> 5
    const from = bit & 31
    const to = Math.min(32, from + end - bit)
    const mask = ((to === 32 ? 0xffffffff : (1 << to) - 1) & (0xffffffff << from)) >>> 0
    const before = words[index] ?? 0
    added += bitsOf(mask & ~before)
    words[index] = before | mask
    bit += to - from
  }
  return added
}
