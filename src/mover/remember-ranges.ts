import type { Range, RangeBatch } from '../domain/range.ts'
import type { RangeStream } from './backup-source.ts'

/** 16 MiB of memory; an image in more pieces is asked again each time. */
const RANGES_MAX = 1_048_576
const BATCH_LENGTH = 4096

/** Walks a stream once and answers later walks from memory: to ask a file system for a map costs a call for each range. */
export async function rememberRanges(stream: RangeStream): Promise<RangeStream> {
  let numbers = new Float64Array(1024)
  let length = 0
  for await (const batch of stream()) {
    for (const range of batch) {
      if (length === 2 * RANGES_MAX) return stream
      if (length === numbers.length) numbers = grown(numbers)
      numbers[length] = range.offset
      numbers[length + 1] = range.length
      length += 2
    }
  }
  return () => replay(numbers.subarray(0, length))
}

async function* replay(numbers: Float64Array): AsyncGenerator<RangeBatch> {
  for (let first = 0; first < numbers.length; first += 2 * BATCH_LENGTH) {
    const batch: Range[] = []
    for (let at = first; at < Math.min(numbers.length, first + 2 * BATCH_LENGTH); at += 2) {
      batch.push({ offset: numbers[at] ?? 0, length: numbers[at + 1] ?? 0 })
    }
    yield await Promise.resolve(batch)
  }
}

function grown(numbers: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}
