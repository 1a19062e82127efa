import { endOf, type Range } from '../domain/range.ts'
import type { Batches } from './batches.ts'
import { inOrder } from './in-order.ts'

/**
 * Walks a stream of batches item by item, and awaits only between batches:
 *
 *     if (!cursor.step()) await cursor.refill()
 *
 * After the last item `current` is undefined, and `start` and `end` are Infinity.
 */
export class BatchCursor<T extends Range> implements AsyncDisposable {
  readonly #batches: AsyncGenerator<readonly T[]>
  #batch: readonly T[] = []
  #index = 0
  #current: T | undefined
  #end = 0

  private constructor(items: Batches<T>) {
    this.#batches = inOrder(items)
  }

  /** A cursor on the first item. Disposing it ends the stream. */
  static async open<T extends Range>(items: Batches<T>): Promise<BatchCursor<T>> {
    const cursor = new BatchCursor(items)
    await cursor.refill()
    return cursor
  }

  get current(): T | undefined {
    return this.#current
  }

  get start(): number {
    return this.#current?.offset ?? Infinity
  }

  get end(): number {
    return this.#end
  }

  /** Goes to the next item of the batch; false when the batch is used up. */
  step(): boolean {
    this.#index += 1
    return this.#look()
  }

  /** Goes to the first item of the next batch that has any, or to the end of the stream. */
  async refill(): Promise<void> {
    do {
      // One batch after the other is the point: there is nothing to do at once.
      const next = await this.#batches.next()
      if (next.done === true) {
        this.#current = undefined
        this.#end = Infinity
        return
      }
      this.#batch = next.value
      this.#index = 0
    } while (!this.#look())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batches.return(undefined)
  }

  #look(): boolean {
    const item = this.#batch[this.#index]
    if (item === undefined) return false
    this.#current = item
    this.#end = endOf(item)
    return true
  }
}
