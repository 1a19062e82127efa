import type { Extent } from '../domain/extent.ts'
import { endOf } from '../domain/range.ts'

export type DataExtent = Extract<Extent, { kind: 'data' }>

/** Neighbouring bytes of one device that one read fetches, for one extent or several. */
export type ExtentRead = {
  readonly device: number
  /** A multiple of a page, so that direct I/O takes it. */
  readonly offset: number
  /** Ends at a multiple of a page, or at the end of the device. */
  readonly length: number
  readonly extents: readonly DataExtent[]
}

export type ExtentReadLimits = {
  readonly readSizeBytesMax: number
  /** Of each device. */
  readonly deviceSizesBytes: readonly number[]
}

/** What direct I/O needs at most. */
export const PAGE_SIZE_BYTES = 4096
/** Bytes between two extents that are cheaper to read than to skip. */
const GAP_MAX_BYTES = 64 * 1024

/** Sorts the extents by where they lie and joins neighbours into reads. Each fits a read: `cutLongExtents()` sees to that. */
export function planExtentReads(extents: readonly DataExtent[], limits: ExtentReadLimits): ExtentRead[] {
  const sorted = extents.toSorted((a, b) => a.device - b.device || a.physicalOffset - b.physicalOffset)
  const reads: ExtentRead[] = []
  let group: DataExtent[] = []
  let end = 0
  for (const extent of sorted) {
    const [first] = group
    if (first !== undefined && !isNear({ first, end }, extent, limits.readSizeBytesMax)) {
      reads.push(readOf(group, limits))
      group = []
    }
    end = group.length === 0 ? physicalEnd(extent) : Math.max(end, physicalEnd(extent))
    group.push(extent)
  }
  if (group.length > 0) reads.push(readOf(group, limits))
  return reads
}

function isNear(
  group: { readonly first: DataExtent; readonly end: number },
  extent: DataExtent,
  readSizeBytesMax: number,
): boolean {
  if (extent.device !== group.first.device || extent.physicalOffset - group.end > GAP_MAX_BYTES) return false
  const end = roundUp(Math.max(group.end, physicalEnd(extent)))
  return end - roundDown(group.first.physicalOffset) <= readSizeBytesMax
}

function readOf(group: readonly DataExtent[], limits: ExtentReadLimits): ExtentRead {
  const [first] = group
  if (first === undefined) throw new RangeError('a read is for at least one extent')
  const { device } = first
  const deviceSize = limits.deviceSizesBytes[device]
  if (deviceSize === undefined) throw new RangeError(`there is no device ${device}`)
  const offset = roundDown(first.physicalOffset)
  const end = Math.min(roundUp(Math.max(...group.map(physicalEnd))), deviceSize)
  return { device, offset, length: end - offset, extents: group }
}

/**
 * Cuts what is longer than a read; `offset` and `physicalOffset` go on together. What begins at a page is read alone, to
 * where it belongs; of anything else there is a page at either end that is read for a part of it.
 */
export function* cutLongExtents(
  extents: Iterable<DataExtent>,
  readSizeBytesMax: number,
): Generator<DataExtent> {
  for (const extent of extents) {
    const lengthMax =
      readSizeBytesMax - (extent.physicalOffset % PAGE_SIZE_BYTES === 0 ? 0 : 2 * PAGE_SIZE_BYTES)
    for (let at = 0; at < extent.length; at += lengthMax) {
      const length = Math.min(lengthMax, extent.length - at)
      const { kind, device } = extent
      yield { kind, device, length, offset: extent.offset + at, physicalOffset: extent.physicalOffset + at }
    }
  }
}

function physicalEnd(extent: DataExtent): number {
  return endOf({ offset: extent.physicalOffset, length: extent.length })
}

function roundDown(offset: number): number {
  return offset - (offset % PAGE_SIZE_BYTES)
}

function roundUp(offset: number): number {
  return Math.ceil(offset / PAGE_SIZE_BYTES) * PAGE_SIZE_BYTES
}
