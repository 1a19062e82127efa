import type { Randomness } from '../../src/domain/randomness.ts'

/** Chance that is the same for the same seed: splitmix32, good enough to place and to shuffle. */
export function seededRandomness(seed: number): Randomness {
  let state = (seed * 2_654_435_761) >>> 0
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  return {
    below: (limit) => Math.floor(((next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53) * limit),
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff),
  }
}
