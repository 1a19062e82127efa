import { randomBytes, randomInt } from 'node:crypto'
import type { Randomness } from '../domain/randomness.ts'

/** Unpredictable chance from the operating system. */
export const systemRandomness: Randomness = {
  below: (limit) => randomInt(limit),
  bytes: (count) => randomBytes(count),
}
