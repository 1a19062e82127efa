import { endOf, type Range } from '../../domain/range.ts'
import type { DataRanges } from './data-ranges.ts'

/** A run of a file's bytes in its contents: `chunk` is counted from its first, `within` in that chunk. */
export type ContentPiece = Range & { readonly chunk: number; readonly within: number }

/**
 * How the content of a file is stored. Up to the end of its last data it is one item when that is less than a chunk;
 * else those of its chunks that have data in them, one after another, so that holes take no place.
 */
export class ContentShape {
  readonly #ranges: DataRanges
  readonly #chunkSizeBytes: number
  /** Runs of the file's chunks that have data: first chunk of the file, and its place among those stored. */
  readonly #firsts: number[] = []
  readonly #places: number[] = []
  /** Up to the end of the last data. */
  readonly sizeBytes: number
  /** 0 for less than a chunk. */
  readonly chunkCount: number

  constructor(ranges: DataRanges, chunkSizeBytes: number) {
    this.#ranges = ranges
    this.#chunkSizeBytes = chunkSizeBytes
    this.sizeBytes = ranges.at(-1) ?? 0
    this.chunkCount = this.sizeBytes < chunkSizeBytes ? 0 : this.#arrange()
  }

  /** Where the data within `range` of the file lies; what is not named is holes. */
  *pieces(range: Range): Generator<ContentPiece> {
    for (let at = this.#rangeFrom(range.offset); at < this.#ranges.length; at += 2) {
      const start = Math.max(range.offset, this.#ranges[at] ?? 0)
      const end = Math.min(endOf(range), this.#ranges[at + 1] ?? 0)
      if (start >= endOf(range)) return
      if (this.chunkCount === 0) yield { offset: start, length: end - start, chunk: 0, within: start }
      else yield* this.#chunkPieces({ offset: start, length: end - start })
    }
  }

  #arrange(): number {
    let count = 0
    let next = 0
    for (let at = 0; at < this.#ranges.length; at += 2) {
      const first = Math.max(next, Math.floor((this.#ranges[at] ?? 0) / this.#chunkSizeBytes))
      const end = Math.ceil((this.#ranges[at + 1] ?? 0) / this.#chunkSizeBytes)
      if (end <= first) continue
      if (first > next || count === 0) {
        this.#firsts.push(first)
        this.#places.push(count)
      }
      count += end - first
      next = end
    }
    return count
  }

  /** All chunks of a data range are stored, one after another. */
  *#chunkPieces({ offset, length }: Range): Generator<ContentPiece> {
    const fileChunk = Math.floor(offset / this.#chunkSizeBytes)
    const run = lastAtMost(this.#firsts, fileChunk)
    const chunk = (this.#places[run] ?? 0) + fileChunk - (this.#firsts[run] ?? 0)
    yield { offset, length, chunk, within: offset % this.#chunkSizeBytes }
  }

  /** The place of the first range that ends behind `offset`. */
  #rangeFrom(offset: number): number {
    let low = 0
    let high = this.#ranges.length / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ranges[2 * middle + 1] ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    return 2 * low
  }
}

function lastAtMost(values: readonly number[], limit: number): number {
  let low = 0
  let high = values.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((values[middle] ?? 0) <= limit) low = middle
    else high = middle
  }
  return low
}
