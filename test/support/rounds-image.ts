import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FrozenImage } from '../../src/domain/frozen-image.ts'

/** An image far away: all reads that are under way at one time are answered together, in one round. */
export function roundsImage(image: FrozenImage): {
  readonly image: FrozenImage
  readonly rounds: () => readonly number[]
} {
  const counts: number[] = []
  let round: Promise<void> | null = null
  const answered = async (): Promise<void> => {
    await nextTurn()
    round = null
  }
  return {
    rounds: () => counts,
    image: {
      ...image,
      readInto: async (target, offset) => {
        if (round === null) {
          counts.push(0)
          round = answered()
        }
        counts.push((counts.pop() ?? 0) + 1)
        await round
        await image.readInto(target, offset)
      },
    },
  }
}
