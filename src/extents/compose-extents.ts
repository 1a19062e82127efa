import type { Extent, ExtentBatch } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { moveExtent } from './cut-extent.ts'
import type { ExtentTable } from './extent-table.ts'
import { inOrder } from './in-order.ts'
import { joinExtents } from './join-extents.ts'

/**
 * The map of the same image, one layer further down. A data extent of `map` lies on an image, its device, and
 * `layers[device]` says where the bytes of that image lie; the devices of the result are those of the layers, which
 * share one table of devices. A device that is a disk already has a layer of one extent.
 *
 * Throws RangeError when the map names a device without a layer, or bytes beyond the end of one.
 */
export async function* composeExtents(
  map: Batches<Extent>,
  layers: readonly ExtentTable[],
): AsyncGenerator<ExtentBatch> {
  const out = new BatchCollector(joinExtents)
  for await (const batch of inOrder(map)) {
    for (const extent of batch) {
      for (const resolved of resolve(extent, layers)) {
        out.add(resolved)
        // One extent may lie on millions of the layer below.
        if (out.isFull) yield out.take()
      }
    }
  }
  yield* out.rest()
}

function* resolve(extent: Extent, layers: readonly ExtentTable[]): Generator<Extent> {
  if (extent.kind !== 'data') {
    yield extent
    return
  }
  const layer = layers[extent.device]
  if (layer === undefined) {
    throw new RangeError(
      `Cannot resolve extent ${extent.offset}+${extent.length}: found device ${extent.device}, ` +
        `there are ${layers.length}`,
    )
  }
  const lower: Range = { offset: extent.physicalOffset, length: extent.length }
  for (const piece of layer.extentsIn(lower)) {
    yield moveExtent(piece, extent.offset + (piece.offset - lower.offset))
  }
}
