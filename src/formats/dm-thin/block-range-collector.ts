import type { Range, RangeBatch } from '../../domain/range.ts'
import { BATCH_LENGTH } from '../../extents/batches.ts'

/** Gathers runs of blocks, ascending, as byte ranges in batches; runs that touch become one, without an object each. */
export class BlockRangeCollector {
  readonly #blockBytes: number
  #batch: Range[] = []
  #begin = 0
  #end = 0

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes
  }

  get isFull(): boolean {
    return this.#batch.length >= BATCH_LENGTH
  }

  /** Adds the blocks from `begin` to before `end`, which lie after all that were added. */
  add(begin: number, end: number): void {
    if (begin !== this.#end) {
      this.#push()
      this.#begin = begin
    }
    this.#end = end
  }

  take(): RangeBatch {
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  /** What is left at the end: one batch, or none. */
  *rest(): Generator<RangeBatch> {
    this.#push()
    if (this.#batch.length > 0) yield this.take()
  }

  #push(): void {
    if (this.#end === this.#begin) return
    const offset = this.#begin * this.#blockBytes
    this.#batch.push({ offset, length: this.#end * this.#blockBytes - offset })
    this.#begin = this.#end
  }
}
