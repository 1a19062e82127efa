import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import { BatchCollector } from '../../extents/batch-collector.ts'
import { joinExtents } from '../../extents/join-extents.ts'
import type { ExceptionOptions, ExceptionStore } from './exception-store.ts'

/** The devices of a snapshot's map. */
export const ORIGIN_DEVICE = 0
export const STORE_DEVICE = 1

/**
 * The map of a classic snapshot over its origin, device 0, and the volume of its store, device 1: what the store has
 * comes from there, everything else is what the origin holds. It is true as long as neither is written to.
 */
export async function* snapshotExtents(
  store: ExceptionStore,
  options: ExceptionOptions,
  signal: AbortSignal,
): AsyncGenerator<ExtentBatch> {
  const { chunkSizeBytes } = store
  const { sizeBytes } = options
  const out = new BatchCollector<Extent>(joinExtents)
  let position = 0
  for await (const batch of store.exceptions(options, signal)) {
    for (const { originChunk, storeChunk, chunkCount } of batch) {
      const offset = originChunk * chunkSizeBytes
      const end = Math.min(offset + chunkCount * chunkSizeBytes, sizeBytes)
      if (offset > position) out.add(originExtent(position, offset))
      const physicalOffset = storeChunk * chunkSizeBytes
      out.add({ kind: 'data', offset, length: end - offset, device: STORE_DEVICE, physicalOffset })
      position = end
      if (out.isFull) yield out.take()
    }
  }
  if (sizeBytes > position) out.add(originExtent(position, sizeBytes))
  yield* out.rest()
}

function originExtent(offset: number, end: number): Extent {
  return { kind: 'data', offset, length: end - offset, device: ORIGIN_DEVICE, physicalOffset: offset }
}
