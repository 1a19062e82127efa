import type { Range, RangeBatch } from '../domain/range.ts'
import { BATCH_LENGTH, type Batches } from './batches.ts'
import { inOrder } from './in-order.ts'
import { NumberColumn } from './number-column.ts'

/** 16 bytes a range: 64 MiB. */
const TABLE_RANGES_MAX = 4_194_304

/** A stream of ranges in memory, to be walked any number of times; touching ranges are one. */
export class RangeTable {
  readonly #offsets = new NumberColumn()
  readonly #ends = new NumberColumn()
  #lengthBytes = 0

  /** Throws RangeError when the ranges are not ascending, or do not fit into memory. */
  static async read(ranges: Batches<Range>, countMax = TABLE_RANGES_MAX): Promise<RangeTable> {
    const table = new RangeTable()
    let open: { offset: number; end: number } | null = null
    for await (const batch of inOrder(ranges)) {
      for (const { offset, length } of batch) {
        if (open !== null && open.end === offset) {
          open.end += length
          continue
        }
        if (open !== null) table.#add(open)
        open = { offset, end: offset + length }
      }
      if (table.count > countMax) {
        throw new RangeError(`Cannot hold ranges in memory: found more than ${countMax}`)
      }
    }
    if (open !== null) table.#add(open)
    return table
  }

  get count(): number {
    return this.#offsets.length
  }

  get lengthBytes(): number {
    return this.#lengthBytes
  }

  *batches(): Generator<RangeBatch> {
    for (let first = 0; first < this.count; first += BATCH_LENGTH) {
      const length = Math.min(BATCH_LENGTH, this.count - first)
      yield Array.from({ length }, (_, index) => this.#at(first + index))
    }
  }

  #add({ offset, end }: { offset: number; end: number }): void {
    this.#offsets.push(offset)
    this.#ends.push(end)
    this.#lengthBytes += end - offset
  }

  #at(index: number): Range {
    const offset = this.#offsets.at(index)
    return { offset, length: this.#ends.at(index) - offset }
  }
}
