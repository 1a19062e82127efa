import { readBytes } from '../../images/read-bytes.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { forkExtents, type InodeFork } from './fork-extents.ts'

import type { XfsVolume } from './volume.ts'

/** Some blocks of a fork that are one structure. */
export type ForkBlocks = {
  readonly startBlock: number
  readonly blockCount: number
  /** Such as "attribute leaf". */
  readonly structure: string
}

/** The bytes of a structure, and where the first of them lies: that is its address, wherever the others are. */
export type PlacedBytes = { readonly bytes: Uint8Array; readonly place: StructurePlace }

/** Throws FormatError when one of the blocks is a hole. The count must be small: it is what memory is taken for. */
export async function readForkBlocks(
  volume: XfsVolume,
  { inode, fork }: InodeFork,
  { startBlock, blockCount, structure }: ForkBlocks,
): Promise<PlacedBytes> {
  const { blockSizeBytes } = volume.superblock
  const endBlock = startBlock + blockCount
  const name = `${inode.place.structure}, ${structure} at block ${startBlock}`
  const bytes = new Uint8Array(blockCount * blockSizeBytes)
  let offsetBytes = inode.place.offsetBytes
  let nextBlock = startBlock
  for await (const batch of forkExtents(volume, { inode, fork }, { startBlock, endBlock })) {
    for (const extent of batch) {
      if (extent.startBlock > nextBlock || extent.isUnwritten) break
      const skipped = nextBlock - extent.startBlock
      const count = Math.min(extent.blockCount - skipped, endBlock - nextBlock)
      const place = { structure: name, offsetBytes: extent.offsetBytes + skipped * blockSizeBytes }
      if (nextBlock === startBlock) offsetBytes = place.offsetBytes
      const part = await readBytes(volume.image, place.offsetBytes, count * blockSizeBytes)
      bytes.set(part, (nextBlock - startBlock) * blockSizeBytes)
      nextBlock += count
    }
  }
  const place = { structure: name, offsetBytes }
  if (nextBlock < endBlock) throw new FormatError(place, `block ${nextBlock} of the fork is a hole`)
  return { bytes, place }
}
