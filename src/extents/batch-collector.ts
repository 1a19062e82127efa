import { BATCH_LENGTH } from './batches.ts'

/** One item for two neighbours, or null when they stay two. */
export type Join<T> = (last: T, next: T) => T | null

/**
 * Gathers the items that an operation makes into batches, and joins neighbours on the way:
 *
 *     collector.add(item)
 *     if (collector.isFull) yield collector.take()
 *     …
 *     yield* collector.rest()
 */
export class BatchCollector<T> {
  readonly #join: Join<T>
  #batch: T[] = []
  /** Not in the batch yet: it may still grow. */
  #last: T | undefined

  constructor(join: Join<T>) {
    this.#join = join
  }

  get isFull(): boolean {
    return this.#batch.length >= BATCH_LENGTH
  }

  add(item: T): void {
    const last = this.#last
    const joined = last === undefined ? item : this.#join(last, item)
    if (joined === null && last !== undefined) this.#batch.push(last)
    this.#last = joined ?? item
  }

  take(): readonly T[] {
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  /** What is left at the end of the stream: one batch, or none. */
  *rest(): Generator<readonly T[]> {
    if (this.#last !== undefined) this.#batch.push(this.#last)
    this.#last = undefined
    if (this.#batch.length > 0) yield this.take()
  }
}

/** Joins nothing: for operations whose cuts are their purpose. */
export function keepApart(): null {
  return null
}
