import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import type { CaseOutcome } from './run-case.ts'
import type { Recipe } from './make-case.ts'

const PARENTS_MAX = 400
const STEPS_MAX = 3
const CHILD_ONCE_IN = 3

/** Remembers damage that readers had something new to say of, and damages it further. */
export class Breed {
  readonly #seed: number
  readonly #known = new Set<string>()
  readonly #parents: (readonly number[])[] = []
  /** Steps that reading a sound image takes, or one that is nearly so. */
  #stepsMax = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  next(number: number): Recipe {
    const random = seededRandomness(this.#seed ^ (number * 7919 + 1))
    const parent = this.#parents[random.below(this.#parents.length)]
    const isChild = parent !== undefined && random.below(CHILD_ONCE_IN) === 0
    return { seed: this.#seed, steps: isChild ? [...parent, number] : [number] }
  }

  learn({ steps }: Recipe, { sentences, stepCount }: CaseOutcome): void {
    this.#stepsMax = Math.max(this.#stepsMax, stepCount)
    let isNew = false
    for (const sentence of sentences) {
      const form = formOf(sentence)
      if (this.#known.has(form)) continue
      this.#known.add(form)
      isNew = true
    }
    // An image of which nothing can be read any more hides what else is done to it.
    const isReadable = stepCount * 3 >= this.#stepsMax
    if (isNew && isReadable && steps.length < STEPS_MAX && this.#parents.length < PARENTS_MAX)
      this.#parents.push(steps)
  }
}

/** Without the numbers and names, which are nearly always new. */
function formOf(sentence: string): string {
  return sentence.replace(/"[^"]*"/g, '""').replace(/0x[\da-f]+|\d+/g, '0')
}
