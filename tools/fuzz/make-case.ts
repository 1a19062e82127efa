import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import type { Base } from './base.ts'
import { cutOff, mutate, type Mutated } from './mutate.ts'

const CUT_OFF_ONCE_IN = 40

/** What a case is made by: the same for the same bases. */
export type Recipe = {
  readonly seed: number
  /** Each says what is damaged next; the first one also on which of the images, each in its turn. */
  readonly steps: readonly number[]
}

export function makeCase(bases: readonly Base[], { seed, steps }: Recipe): Mutated {
  const base = bases[(steps[0] ?? 0) % bases.length]
  if (base === undefined) throw new RangeError('there is nothing to damage')
  let mutated: Mutated = { images: base.images, mustBeNoticed: null }
  for (const step of steps) {
    const random = seededRandomness((seed * 1_000_003 + step) >>> 0)
    mutated = mutate(mutated.images, base.structures, random)
    // At last: what is cut off cannot be damaged any more.
    if (step === steps.at(-1) && random.below(CUT_OFF_ONCE_IN) === 0)
      mutated = { images: mutated.images.map((each) => cutOff(each, random)), mustBeNoticed: null }
  }
  return steps.length === 1 ? mutated : { ...mutated, mustBeNoticed: null }
}
