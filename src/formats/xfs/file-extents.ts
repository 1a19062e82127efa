import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import { endOf, type Range } from '../../domain/range.ts'
import { BatchCollector } from '../../extents/batch-collector.ts'
import { joinExtents } from '../../extents/join-extents.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import type { ForkExtent } from './extent-list.ts'
import { forkExtents } from './fork-extents.ts'
import type { Inode } from './inode.ts'
import type { XfsVolume } from './volume.ts'

/** The volume is the only device of the maps. */
const DEVICE = 0

/**
 * The map of a regular file within `range`, which must lie within its size: blocks are data, holes and unwritten
 * blocks are zeros. Blocks that are shared with other files are data like all others.
 */
export async function* mapFile(
  volume: XfsVolume,
  inode: Inode,
  { range, signal }: { readonly range: Range; readonly signal: AbortSignal },
): AsyncGenerator<ExtentBatch> {
  if (inode.kind !== 'file') throw new FormatError(inode.place, `it is a ${inode.kind}, expected a file`)
  if (inode.isRealtime) {
    throw new UnmappedError(
      'realtime file',
      `The content of ${inode.place.structure} lies in the realtime part of the file system, which is not mapped`,
    )
  }
  if (range.length === 0) return
  const { blockSizeBytes } = volume.superblock
  const end = endOf(range)
  const wanted = {
    startBlock: Math.floor(range.offset / blockSizeBytes),
    endBlock: Math.ceil(end / blockSizeBytes),
  }
  const out = new BatchCollector<Extent>(joinExtents)
  let position = range.offset
  for await (const batch of forkExtents(volume, { inode, fork: inode.data }, wanted)) {
    signal.throwIfAborted()
    for (const extent of batch) {
      const start = Math.max(extent.startBlock * blockSizeBytes, position)
      const stop = Math.min((extent.startBlock + extent.blockCount) * blockSizeBytes, end)
      if (start > position) out.add({ kind: 'zero', offset: position, length: start - position })
      out.add(partOf(extent, { offset: start, length: stop - start }, blockSizeBytes))
      position = stop
    }
    if (out.isFull) yield out.take()
  }
  if (position < end) out.add({ kind: 'zero', offset: position, length: end - position })
  yield* out.rest()
}

function partOf(extent: ForkExtent, { offset, length }: Range, blockSizeBytes: number): Extent {
  if (extent.isUnwritten) return { kind: 'zero', offset, length }
  const physicalOffset = extent.offsetBytes + offset - extent.startBlock * blockSizeBytes
  return { kind: 'data', offset, length, device: DEVICE, physicalOffset }
}
