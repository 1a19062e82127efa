import type { Range } from '../../domain/range.ts'

/** Chunks of the image that follow one another. */
export type Segment = { readonly position: number; readonly count: number }

/** Where a run of bytes lies that begins `within` bytes into chunk `chunk` of some segments. */
export type SegmentRun = { readonly chunk: number; readonly within: number; readonly length: number }

/**
 * The ranges of the image that a run lies in, in order. Throws RangeError when it goes beyond the last segment.
 */
export function* rangesInSegments(
  segments: readonly Segment[],
  run: SegmentRun,
  chunkSizeBytes: number,
): Generator<Range> {
  let start = 0
  let at = run.chunk * chunkSizeBytes + run.within
  let left = run.length
  for (const { position, count } of segments) {
    if (left === 0) return
    const end = start + count * chunkSizeBytes
    if (at < end) {
      const length = Math.min(left, end - at)
      yield { offset: position * chunkSizeBytes + at - start, length }
      at += length
      left -= length
    }
    start = end
  }
  if (left > 0)
    throw new RangeError(`contents end at byte ${start}, expected ${left} bytes more at byte ${at}`)
}
