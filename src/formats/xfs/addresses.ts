// Numbers of blocks and inodes are made of bits: AG number, block in the AG, and for an inode its index in the
// block (XFS Algorithms & Data Structures, "Allocation Groups" and "On-disk Inode"). They may be more than 32 bits
// long, so they are taken apart by division. All places are checked: they come from structures that may be damaged.
import { FormatError, type StructurePlace } from '../format-error.ts'
import type { XfsSuperblock } from './superblock.ts'

export type AgBlock = { readonly agNumber: number; readonly agBlock: number }
export type InodePlace = AgBlock & { readonly indexInBlock: number; readonly offsetBytes: number }

/** How many blocks an allocation group has; the last one may be shorter. `agNumber` must be one. */
export function agBlockCount(superblock: XfsSuperblock, agNumber: number): number {
  return Math.min(superblock.agBlocks, superblock.blockCount - agNumber * superblock.agBlocks)
}

/** The byte where an allocation group begins. */
export function agOffsetBytes(superblock: XfsSuperblock, agNumber: number): number {
  return agNumber * superblock.agBlocks * superblock.blockSizeBytes
}

function isInAg(superblock: XfsSuperblock, { agNumber, agBlock }: AgBlock): boolean {
  return agNumber < superblock.agCount && agBlock < agBlockCount(superblock, agNumber)
}

/** The byte where a block begins. Throws FormatError, about the structure at `place`, when there is no such block. */
export function agBlockOffsetBytes(superblock: XfsSuperblock, block: AgBlock, place: StructurePlace): number {
  if (!isInAg(superblock, block)) {
    throw new FormatError(
      place,
      `it points to block ${block.agBlock} of AG ${block.agNumber}, which is not there`,
    )
  }
  return agOffsetBytes(superblock, block.agNumber) + block.agBlock * superblock.blockSizeBytes
}

export function splitFsBlock(superblock: XfsSuperblock, fsBlock: number): AgBlock {
  const agSpan = 2 ** superblock.agBlockLog
  const agNumber = Math.floor(fsBlock / agSpan)
  return { agNumber, agBlock: fsBlock - agNumber * agSpan }
}

/** The byte where a block begins that is given by AG and block in one number. Throws FormatError like the above. */
export function fsBlockOffsetBytes(
  superblock: XfsSuperblock,
  fsBlock: number,
  place: StructurePlace,
): number {
  return agBlockOffsetBytes(superblock, splitFsBlock(superblock, fsBlock), place)
}

/**
 * The first byte of a run of blocks, all of which lie in one AG: no extent crosses its end.
 * Throws FormatError when they do not.
 */
export function fsBlocksOffsetBytes(
  superblock: XfsSuperblock,
  run: { readonly fsBlock: number; readonly blockCount: number },
  place: StructurePlace,
): number {
  const first = splitFsBlock(superblock, run.fsBlock)
  const offsetBytes = agBlockOffsetBytes(superblock, first, place)
  if (first.agBlock + run.blockCount > agBlockCount(superblock, first.agNumber)) {
    throw new FormatError(
      place,
      `it points to ${run.blockCount} blocks from ${first.agBlock} of AG ${first.agNumber}, beyond its end`,
    )
  }
  return offsetBytes
}

/** Where an inode lies. Throws FormatError, about the structure at `place`, when it lies in no AG. */
export function inodePlace(
  superblock: XfsSuperblock,
  inodeNumber: number,
  place: StructurePlace,
): InodePlace {
  const { inodesPerBlock } = superblock
  const fsBlock = Math.floor(inodeNumber / inodesPerBlock)
  const block = splitFsBlock(superblock, fsBlock)
  if (!Number.isSafeInteger(inodeNumber) || inodeNumber <= 0 || !isInAg(superblock, block)) {
    throw new FormatError(place, `it names inode ${inodeNumber}, which lies in no allocation group`)
  }
  const indexInBlock = inodeNumber - fsBlock * inodesPerBlock
  const offsetBytes = agBlockOffsetBytes(superblock, block, place) + indexInBlock * superblock.inodeSizeBytes
  return { ...block, indexInBlock, offsetBytes }
}

/** The number of the inode with this number in its AG, as the inode B-trees name it. */
export function inodeNumberInAg(superblock: XfsSuperblock, agNumber: number, agInode: number): number {
  return agNumber * 2 ** (superblock.agBlockLog + superblock.inodesPerBlockLog) + agInode
}
