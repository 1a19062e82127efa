import assert from 'node:assert/strict'

/** Chunks of the origin from `start` to `end`, exclusive: so few exceptions that they are sorted in memory. */
export type ExceptionWindow = {
  readonly start: number
  readonly end: number
  readonly exceptionCount: number
}

/** 16 MB of memory a window. */
export const WINDOW_LENGTH_MAX = 2 ** 20
/** The chunk within its window and the slot of its copy are sorted as one number. */
const WINDOW_CHUNKS_MAX = 2 ** 53 / WINDOW_LENGTH_MAX
const BUCKET_COUNT_MIN = 2 ** 16

/** Counts exceptions by where they lie in the origin, and cuts the origin into windows of bounded memory. */
export class ExceptionCensus {
  readonly #chunkCount: number
  readonly #bucketChunks: number
  readonly #counts: Uint32Array
  readonly #lengthMax: number

  constructor(originChunkCount: number, lengthMax: number) {
    assert(lengthMax >= 1 && lengthMax <= WINDOW_LENGTH_MAX)
    this.#chunkCount = originChunkCount
    // No bucket is larger than a window: without repetitions, none has more exceptions than a window holds.
    this.#bucketChunks = Math.max(1, Math.min(lengthMax, Math.ceil(originChunkCount / BUCKET_COUNT_MIN)))
    this.#counts = new Uint32Array(Math.ceil(originChunkCount / this.#bucketChunks))
    this.#lengthMax = lengthMax
  }

  add(originChunk: number): void {
    const bucket = Math.floor(originChunk / this.#bucketChunks)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
  }

  /** Null when some chunk of the origin must have two exceptions. */
  windows(): readonly ExceptionWindow[] | null {
    const windows: ExceptionWindow[] = []
    let start = 0
    let exceptionCount = 0
    for (const [bucket, count] of this.#counts.entries()) {
      if (count > this.#bucketChunks) return null
      const bucketStart = bucket * this.#bucketChunks
      const isFull =
        exceptionCount + count > this.#lengthMax ||
        bucketStart + this.#bucketChunks - start > WINDOW_CHUNKS_MAX
      if (isFull) {
        if (exceptionCount > 0) windows.push({ start, end: bucketStart, exceptionCount })
        start = bucketStart
        exceptionCount = 0
      }
      exceptionCount += count
    }
    if (exceptionCount > 0) windows.push({ start, end: this.#chunkCount, exceptionCount })
    return windows
  }
}

/** The exceptions of one window, gathered in any order and given back in the order of the origin. */
export class WindowExceptions {
  readonly #window: ExceptionWindow
  /** Chunk of the origin from the window's start on, times the most slots, plus slot: one number to sort. */
  readonly #keys: Float64Array
  readonly #storeChunks: Float64Array
  #length = 0

  constructor(window: ExceptionWindow) {
    this.#window = window
    this.#keys = new Float64Array(window.exceptionCount)
    this.#storeChunks = new Float64Array(window.exceptionCount)
  }

  /** Takes the exception if it lies in the window. */
  add(originChunk: number, storeChunk: number): void {
    const { start, end } = this.#window
    if (originChunk < start || originChunk >= end) return
    assert(this.#length < this.#keys.length, 'the store changed between two walks')
    this.#keys[this.#length] = (originChunk - start) * WINDOW_LENGTH_MAX + this.#length
    this.#storeChunks[this.#length] = storeChunk
    this.#length += 1
  }

  /** Ascending by the chunk of the origin. */
  *sorted(): Generator<readonly [originChunk: number, storeChunk: number]> {
    for (const key of this.#keys.subarray(0, this.#length).toSorted()) {
      const chunk = Math.floor(key / WINDOW_LENGTH_MAX)
      yield [this.#window.start + chunk, this.#storeChunks[key - chunk * WINDOW_LENGTH_MAX] ?? 0]
    }
  }
}
