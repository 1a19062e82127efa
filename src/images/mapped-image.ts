import assert from 'node:assert/strict'
import type { Extent, ExtentBatch } from '../domain/extent.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import { endOf, type Range } from '../domain/range.ts'
import { BATCH_LENGTH } from '../extents/batches.ts'
import { moveExtent } from '../extents/cut-extent.ts'
import { normaliseExtents } from '../extents/normalise-extents.ts'

/** A map that can be asked about any range of it; ExtentTable is one. */
export type ExtentLookup = {
  readonly sizeBytes: number
  /** The extents of `range`, cut to it, ascending, covering it wholly. */
  extentsIn(range: Range): Iterable<Extent>
}

/** What device number i of a map is. */
export type MappedLayer = {
  readonly image: FrozenImage
  /** The number of the image in the device table of the mapped image. */
  readonly device: number
  /**
   * True when the image is itself mapped: its own map is asked where the bytes lie, and its device numbers count
   * from `device`, once for each extent. False when it is where the mapping ends, such as a disk; a map of millions
   * of extents is better composed (composeExtents) down to there first.
   */
  readonly isMapped: boolean
}

/**
 * The image that a map describes, over the images it lies on: a logical volume over physical volumes, a thin volume
 * over its pool. It borrows: to dispose of it leaves the lower images open. Reading or mapping throws RangeError
 * where the map names a device without a layer, or bytes beyond the end of one.
 */
export function mappedImage(map: ExtentLookup, layers: readonly MappedLayer[]): FrozenImage {
  return {
    sizeBytes: map.sizeBytes,
    sectorSizeBytes: Math.max(512, ...layers.map(({ image }) => image.sectorSizeBytes)),
    isCached: layers.every(({ image }) => image.isCached === true),
    extents: (range, signal) =>
      normaliseExtents(resolvedExtents(map, layers, { range, signal }), {
        startOffset: range.offset,
        endOffset: endOf(range),
      }),
    readInto: (target, offset) => readMapped(target, offset, { map, layers }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

type DataExtent = Extract<Extent, { kind: 'data' }>

async function* resolvedExtents(
  map: ExtentLookup,
  layers: readonly MappedLayer[],
  { range, signal }: { readonly range: Range; readonly signal: AbortSignal },
): AsyncGenerator<ExtentBatch> {
  let batch: Extent[] = []
  for (const extent of map.extentsIn(range)) {
    const layer = extent.kind === 'data' ? layerOf(extent, layers) : null
    if (extent.kind === 'data' && layer?.isMapped === true) {
      if (batch.length > 0) yield batch
      batch = []
      yield* lowerExtents(extent, layer, signal)
      continue
    }
    batch.push(extent.kind === 'data' && layer !== null ? { ...extent, device: layer.device } : extent)
    if (batch.length < BATCH_LENGTH) continue
    yield batch
    batch = []
    signal.throwIfAborted()
  }
  if (batch.length > 0) yield batch
}

async function* lowerExtents(
  extent: DataExtent,
  layer: MappedLayer,
  signal: AbortSignal,
): AsyncGenerator<ExtentBatch> {
  const shift = extent.offset - extent.physicalOffset
  const range = { offset: extent.physicalOffset, length: extent.length }
  for await (const batch of layer.image.extents(range, signal)) {
    yield batch.map((lower) => {
      const moved = moveExtent(lower, lower.offset + shift)
      return moved.kind === 'data' ? { ...moved, device: layer.device + moved.device } : moved
    })
  }
}

async function readMapped(
  target: Uint8Array,
  offset: number,
  { map, layers }: { readonly map: ExtentLookup; readonly layers: readonly MappedLayer[] },
): Promise<void> {
  assert(offset >= 0 && offset + target.byteLength <= map.sizeBytes)
  if (target.byteLength === 0) return
  for (const extent of map.extentsIn({ offset, length: target.byteLength })) {
    const part = target.subarray(extent.offset - offset, endOf(extent) - offset)
    switch (extent.kind) {
      case 'data':
        // One after the other: pieces of one request are neighbours, and a request has few.
        await layerOf(extent, layers).image.readInto(part, extent.physicalOffset)
        break
      case 'zero':
        part.fill(0)
        break
      case 'inline':
        part.set(extent.bytes)
        break
    }
  }
}

function layerOf(extent: DataExtent, layers: readonly MappedLayer[]): MappedLayer {
  const layer = layers[extent.device]
  const sizeBytes = layer?.image.sizeBytes ?? 0
  if (layer !== undefined && extent.physicalOffset + extent.length <= sizeBytes) return layer
  const found =
    layer === undefined
      ? `device ${extent.device}, there are ${layers.length}`
      : `bytes ${extent.physicalOffset}+${extent.length} of device ${extent.device}, it has ${sizeBytes}`
  throw new RangeError(`Cannot resolve extent ${extent.offset}+${extent.length}: found ${found}`)
}
