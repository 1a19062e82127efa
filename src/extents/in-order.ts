import { endOf, type Range } from '../domain/range.ts'
import type { Batches } from './batches.ts'

/**
 * The same batches, checked: ascending, not overlapping, lengths of at least 1, all of it safe integers.
 * Throws RangeError at the first item that is not.
 */
export async function* inOrder<T extends Range>(items: Batches<T>): AsyncGenerator<readonly T[]> {
  let end = 0
  for await (const batch of items) {
    for (const item of batch) {
      const next = endOf(item)
      if (!(item.offset >= end && item.length >= 1 && Number.isSafeInteger(next))) {
        throw new RangeError(
          `Cannot take ${item.offset}+${item.length}: found after ${end}, expected ascending ranges ` +
            'that do not overlap and are not empty',
        )
      }
      end = next
    }
    yield batch
  }
}
