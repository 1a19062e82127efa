import { endOf, type Range } from '../../../domain/range.ts'
import { readBytes } from '../../../images/read-bytes.ts'
import { visitSetRuns } from '../cluster-bitmap.ts'
import { blockBitmapChecksum } from '../descriptor-checksum.ts'
import { BLOCKS_UNINITIALISED, FROM_PRIMARY } from '../group-descriptors.ts'
import { groupBlockCount, groupFirstBlock } from '../group-layout.ts'
import type { Ext4Volume } from '../volume.ts'

/** What the bitmaps of the groups that `within` touches call free. Of a bitmap that is not sound, nothing is. */
export async function* freeBlockRanges(
  volume: Ext4Volume,
  within: Range,
  signal: AbortSignal,
): AsyncGenerator<readonly Range[]> {
  const { blockSizeBytes, blocksPerGroup, firstDataBlock, groupCount } = volume.superblock
  const groupOf = (offset: number): number =>
    Math.floor((Math.floor(offset / blockSizeBytes) - firstDataBlock) / blocksPerGroup)
  const last = Math.min(groupCount - 1, groupOf(endOf(within) - 1))
  for (let group = Math.max(0, groupOf(within.offset)); group <= last; group += 1) {
    signal.throwIfAborted()
    yield await freeInGroup(volume, group)
  }
}

async function freeInGroup(volume: Ext4Volume, group: number): Promise<readonly Range[]> {
  const { superblock, descriptors, image } = volume
  const { blockSizeBytes, blocksPerCluster } = superblock
  const isUninitialised = ((descriptors.flags[group] ?? 0) & BLOCKS_UNINITIALISED) !== 0
  const first = groupFirstBlock(superblock, group)
  const count = groupBlockCount(superblock, group)
  const rangeOf = (block: number, end: number): Range => ({
    offset: block * blockSizeBytes,
    length: (end - block) * blockSizeBytes,
  })
  if (descriptors.source[group] !== FROM_PRIMARY) return []
  // What of it is in use is metadata alone, which nobody looks for here.
  if (isUninitialised) return [rangeOf(first, first + count)]
  const offset = (descriptors.blockBitmap[group] ?? 0) * blockSizeBytes
  if (offset + blockSizeBytes > image.sizeBytes) return []
  const bitmap = await readBytes(image, offset, blockSizeBytes)
  const checksum = blockBitmapChecksum(superblock, bitmap)
  if (checksum !== null && checksum !== (descriptors.blockBitmapChecksum[group] ?? 0)) return []
  const free = Uint32Array.from(new Uint32Array(bitmap.buffer, bitmap.byteOffset), (word) => ~word)
  const ranges: Range[] = []
  visitSetRuns(free, Math.ceil(count / blocksPerCluster), (start, end) => {
    ranges.push(
      rangeOf(first + start * blocksPerCluster, Math.min(first + count, first + end * blocksPerCluster)),
    )
  })
  return ranges
}
