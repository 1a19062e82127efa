import { endOf, type Range, type RangeBatch } from '../domain/range.ts'
import type { Extent, ExtentBatch } from '../domain/extent.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import type { SourceReader } from './source-reader.ts'

export type ImageParts = {
  readonly sizeBytes: number
  readonly sectorSizeBytes: number
  readonly reader: SourceReader
  dataRanges(range: Range, signal: AbortSignal): AsyncIterable<RangeBatch>
}

/**
 * A device or an image file as a frozen image: its only device, number 0, is itself. The image borrows: to
 * dispose of it leaves the source open.
 */
export function sourceImage(parts: ImageParts): FrozenImage {
  return {
    sizeBytes: parts.sizeBytes,
    sectorSizeBytes: parts.sectorSizeBytes,
    extents: (range, signal) => extentsOf(range, parts.dataRanges(range, signal)),
    readInto: (target, offset) => parts.reader.readInto(target, offset),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function* extentsOf(
  range: Range,
  batches: AsyncIterable<RangeBatch>,
): AsyncGenerator<ExtentBatch, void, undefined> {
  let position = range.offset
  for await (const batch of batches) {
    const extents: Extent[] = []
    for (const { offset, length } of batch) {
      if (offset > position) extents.push({ kind: 'zero', offset: position, length: offset - position })
      extents.push({ kind: 'data', offset, length, device: 0, physicalOffset: offset })
      position = offset + length
    }
    yield extents
  }
  const end = endOf(range)
  if (position < end) yield [{ kind: 'zero', offset: position, length: end - position }]
}
