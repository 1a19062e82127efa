import type { Randomness } from '../../src/domain/randomness.ts'

/** One of some; there has to be one. */
export function pick<T>(list: readonly T[], random: Randomness): T {
  const index = random.below(list.length)
  const found = list[index]
  if (found === undefined || index >= list.length) throw new RangeError('there is nothing to choose from')
  return found
}
