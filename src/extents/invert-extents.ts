import type { Extent } from '../domain/extent.ts'
import { endOf, type Range } from '../domain/range.ts'
import { ascendingOrder } from './ascending-order.ts'
import { BatchCollector } from './batch-collector.ts'
import type { Batches } from './batches.ts'
import { inOrder } from './in-order.ts'
import { NumberColumn } from './number-column.ts'

/** A range of the image, and where on the device it lies. */
export type PlacedRange = Range & { readonly physicalOffset: number }

/** 32 bytes an extent: 8 million are 256 MB. Whoever has more inverts one window of the device after the other. */
const INVERTED_EXTENTS_MAX = 8_000_000

export type InvertOptions = {
  readonly device: number
  /** Only what lies in this range of the device. */
  readonly window?: Range
  readonly extentCountMax?: number
}

/**
 * Which bytes of the image lie where on one device, ascending by physical offset and then by offset. A place that
 * the image uses several times comes several times, so the physical ranges may overlap.
 *
 * The whole map is read before the first batch comes, and what lies on the device is held in memory: throws
 * RangeError when that is more than `extentCountMax` extents.
 */
export async function* invertExtents(
  map: Batches<Extent>,
  options: InvertOptions,
): AsyncGenerator<readonly PlacedRange[]> {
  const placed = await placedOn(map, options)
  const out = new BatchCollector(joinPlaced)
  for (const index of ascendingOrder(placed.physicalOffset)) {
    out.add({
      offset: placed.offset.at(index),
      length: placed.length.at(index),
      physicalOffset: placed.physicalOffset.at(index),
    })
    if (out.isFull) yield out.take()
  }
  yield* out.rest()
}

type Placed = Readonly<Record<keyof PlacedRange, NumberColumn>>

async function placedOn(
  map: Batches<Extent>,
  { device, window, extentCountMax = INVERTED_EXTENTS_MAX }: InvertOptions,
): Promise<Placed> {
  const [from, to] = window === undefined ? [0, Infinity] : [window.offset, endOf(window)]
  const placed = {
    offset: new NumberColumn(),
    length: new NumberColumn(),
    physicalOffset: new NumberColumn(),
  }
  for await (const batch of inOrder(map)) {
    for (const extent of batch) {
      if (extent.kind !== 'data' || extent.device !== device) continue
      const start = Math.max(from, extent.physicalOffset)
      const end = Math.min(to, extent.physicalOffset + extent.length)
      if (start >= end) continue
      placed.offset.push(extent.offset + (start - extent.physicalOffset))
      placed.length.push(end - start)
      placed.physicalOffset.push(start)
    }
    if (placed.offset.length > extentCountMax) {
      throw new RangeError(
        `Cannot invert map: found ${placed.offset.length} extents on device ${device}, limit is ${extentCountMax}`,
      )
    }
  }
  return placed
}

function joinPlaced(last: PlacedRange, next: PlacedRange): PlacedRange | null {
  if (next.offset !== endOf(last) || next.physicalOffset !== last.physicalOffset + last.length) return null
  return { offset: last.offset, length: last.length + next.length, physicalOffset: last.physicalOffset }
}
