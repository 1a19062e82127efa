import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import type { SparseBytes } from '../../test/support/sparse-bytes.ts'
import type { Base } from './base.ts'
import { mutate } from './mutate.ts'

/** Case `number` of a seed: the same for the same bases, each in its turn. */
export function makeCase(bases: readonly Base[], seed: number, number: number): readonly SparseBytes[] {
  const base = bases[number % bases.length]
  if (base === undefined) throw new RangeError('there is nothing to damage')
  return mutate(base.images, base.structures, seededRandomness((seed * 1_000_003 + number) >>> 0))
}
