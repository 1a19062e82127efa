import type { Range, RangeBatch } from '../domain/range.ts'
import { intersectRanges } from '../extents/intersect-ranges.ts'
import type { TreeShape } from '../repository/tree-shape.ts'
import type { RangeStream } from './backup-source.ts'
import { countChunks } from './witnesses.ts'

export type ShareOfImage = {
  readonly shape: TreeShape
  /** What the image holds, in whole chunks, ascending. */
  readonly data: RangeStream
  /** Every byte is read again every so many runs; 0 for never. */
  readonly rotationRuns: number
  /** Where the share begins, a chunk position. */
  readonly rotationStart: number
}

/** What one run reads of an image whatever its change list says, in one piece, and where the next run goes on. */
export type RotatingShare = { readonly ranges: RangeBatch; readonly next: number }

/**
 * From `rotationStart` on, one part in `rotationRuns` of the image, in which a chunk of data weighs as much more than a
 * hole as there are fewer of them: where all data lies in one place, no run reads all of it. So many runs pass over
 * everything, and none of them reads more than twice its part of the data.
 */
export async function rotatingShare(share: ShareOfImage): Promise<RotatingShare> {
  const { shape, rotationRuns, rotationStart } = share
  const { chunkCount, chunkSizeBytes, sizeBytes } = shape
  if (rotationRuns === 0) return { ranges: [], next: rotationStart }
  const start = rotationStart % chunkCount
  const end = Math.max(start + 1, await endOfShare(share, start))
  const offset = start * chunkSizeBytes
  const length = Math.min(sizeBytes, end * chunkSizeBytes) - offset
  return { ranges: [{ offset, length }], next: end % chunkCount }
}

async function endOfShare({ shape, data, rotationRuns }: ShareOfImage, start: number): Promise<number> {
  const { chunkCount, chunkSizeBytes, sizeBytes } = shape
  const dataCount = await countChunks(data(), chunkSizeBytes)
  const holeWeight = 1 / chunkCount
  const dataWeight = holeWeight + (dataCount === 0 ? 0 : 1 / dataCount)
  let left = (dataCount === 0 ? 1 : 2) / rotationRuns
  let at = start
  for await (const { offset, length } of rangesOf(data(), start * chunkSizeBytes, sizeBytes)) {
    const first = offset / chunkSizeBytes
    const count = Math.ceil(length / chunkSizeBytes)
    left -= (first - at) * holeWeight
    if (left <= 0) return endBefore(first, left, holeWeight)
    left -= count * dataWeight
    if (left <= 0) return endBefore(first + count, left, dataWeight)
    at = first + count
  }
  return endBefore(chunkCount, left - (chunkCount - at) * holeWeight, holeWeight)
}

/** Where a share ends of which so much is too much, all of it just before `position`; rather a chunk too many. */
function endBefore(position: number, left: number, weight: number): number {
  return position - Math.floor(Math.max(0, -left / weight))
}

async function* rangesOf(
  data: AsyncIterable<RangeBatch>,
  startBytes: number,
  sizeBytes: number,
): AsyncGenerator<Range> {
  if (startBytes >= sizeBytes) return
  const rest = { offset: startBytes, length: sizeBytes - startBytes }
  for await (const batch of intersectRanges(data, [[rest]])) yield* batch
}
