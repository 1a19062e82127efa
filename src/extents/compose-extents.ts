import type { Extent, ExtentBatch } from '../domain/extent.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { moveExtent } from './cut-extent.ts'
import type { Range } from '../domain/range.ts'
import { inOrder } from './in-order.ts'
import { joinExtents } from './join-extents.ts'

/** A map that tells the extents of a range of it; an ExtentTable is one. */
export type ExtentLayer = { extentsIn(range: Range): Iterable<Extent> }

/**
 * The map of the same image, one layer further down. A data extent of `map` lies on an image, its device, and
 * `layers[device]` says where the bytes of that image lie; the devices of the result are those of the layers, which
 * share one table of devices. A device that is a disk already has a layer of one extent.
 *
 * Throws RangeError when the map names a device without a layer, or bytes beyond the end of one.
 */
export async function* composeExtents(
  map: Batches<Extent>,
  layers: readonly ExtentLayer[],
): AsyncGenerator<ExtentBatch> {
  const out = new BatchCollector(joinExtents)
  for await (const batch of inOrder(map)) {
    for (const extent of batch) {
      if (extent.kind === 'data') {
        const layer = layerOf(extent, layers)
        const shift = extent.offset - extent.physicalOffset
        for (const lower of layer.extentsIn({ offset: extent.physicalOffset, length: extent.length })) {
          out.add(moveExtent(lower, lower.offset + shift))
          // One extent may lie on millions of the layer below.
          if (out.isFull) yield out.take()
        }
      } else {
        out.add(extent)
        if (out.isFull) yield out.take()
      }
    }
  }
  yield* out.rest()
}

type DataExtent = Extract<Extent, { kind: 'data' }>

function layerOf({ offset, length, device }: DataExtent, layers: readonly ExtentLayer[]): ExtentLayer {
  const layer = layers[device]
  if (layer !== undefined) return layer
  throw new RangeError(
    `Cannot resolve extent ${offset}+${length}: found device ${device}, there are ${layers.length}`,
  )
}
