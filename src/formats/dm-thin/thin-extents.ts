import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import { endOf, type Range } from '../../domain/range.ts'
import { BatchCollector } from '../../extents/batch-collector.ts'
import { joinExtents } from '../../extents/join-extents.ts'
import type { MappingRuns } from './mapping-runs.ts'

/** The map of `range` of a thin volume: what its mappings say, cut to the range, and zero in between. */
export async function* extentsOfMappings(
  range: Range,
  dataBlockBytes: number,
  batches: AsyncIterable<MappingRuns>,
): AsyncGenerator<ExtentBatch> {
  const out = new BatchCollector<Extent>(joinExtents)
  const end = endOf(range)
  let position = range.offset
  for await (const { begins, dataBegins, lengths } of batches) {
    for (const [index, begin] of begins.entries()) {
      const runOffset = begin * dataBlockBytes
      const offset = Math.max(runOffset, range.offset)
      const length = Math.min(runOffset + (lengths[index] ?? 0) * dataBlockBytes, end) - offset
      if (offset > position) out.add({ kind: 'zero', offset: position, length: offset - position })
      const physicalOffset = (dataBegins[index] ?? 0) * dataBlockBytes + offset - runOffset
      out.add({ kind: 'data', offset, length, device: 0, physicalOffset })
      position = offset + length
      if (out.isFull) yield out.take()
    }
  }
  if (position < end) out.add({ kind: 'zero', offset: position, length: end - position })
  yield* out.rest()
}
