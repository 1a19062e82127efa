import { endOf, type Range, type RangeBatch } from '../../../domain/range.ts'
import { agOffsetBytes } from '../addresses.ts'
import { readAgFree, readAgFreeList } from '../ag-headers.ts'
import { freeRanges, type AgWindow } from '../free-space.ts'
import type { XfsVolume } from '../volume.ts'
import { inodeChunks } from './inode-chunks.ts'

/**
 * What the AGs that `within` touches call free, the blocks that they keep for their trees, and those of inodes, also of
 * free ones.
 */
export async function* freeBlockRanges(
  volume: XfsVolume,
  within: Range,
  signal: AbortSignal,
): AsyncGenerator<RangeBatch> {
  const { superblock } = volume
  const { agCount, blockSizeBytes } = superblock
  const agBytes = agOffsetBytes(superblock, 1)
  const lastAg = Math.min(agCount - 1, Math.floor((endOf(within) - 1) / agBytes))
  for (let agNumber = Math.floor(within.offset / agBytes); agNumber <= lastAg; agNumber += 1) {
    const header = await readAgFree(volume, agNumber)
    const start = agOffsetBytes(superblock, agNumber)
    const kept = await readAgFreeList(volume, header)
    if (kept.length > 0) {
      yield kept.map((block) => ({ offset: start + block * blockSizeBytes, length: blockSizeBytes }))
    }
    const window = {
      first: Math.max(0, Math.floor((within.offset - start) / blockSizeBytes)),
      end: Math.ceil((endOf(within) - start) / blockSizeBytes),
    }
    yield* freeRanges(volume, { header, window }, signal)
    yield* inodeBlocks(volume, agNumber, window)
  }
}

async function* inodeBlocks(
  volume: XfsVolume,
  agNumber: number,
  window: AgWindow,
): AsyncGenerator<RangeBatch> {
  const { superblock } = volume
  const { inodesPerBlock, inodeSizeBytes } = superblock
  const start = agOffsetBytes(superblock, agNumber)
  const inodes = { first: window.first * inodesPerBlock, end: window.end * inodesPerBlock }
  for await (const chunks of inodeChunks(volume, agNumber, inodes)) {
    yield chunks.flatMap(({ firstInode, isThere }) =>
      isThere.flatMap((is, index) =>
        is ? [{ offset: start + (firstInode + index) * inodeSizeBytes, length: inodeSizeBytes }] : [],
      ),
    )
  }
}
