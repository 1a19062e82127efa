import type { Randomness } from '../../domain/randomness.ts'

/** A random share of `items`, 0 to 1, rounded up; all of them in their order when the share is 1. */
export function drawShare<T>(items: readonly T[], share: number, randomness: Randomness): readonly T[] {
  const count = Math.ceil(items.length * share)
  if (count >= items.length) return items
  const left = [...items]
  const drawn: T[] = []
  while (drawn.length < count) {
    const at = randomness.below(left.length)
    const last = left.pop()
    if (last === undefined) break
    const taken = left[at] ?? last
    if (at < left.length) left[at] = last
    drawn.push(taken)
  }
  return drawn
}
