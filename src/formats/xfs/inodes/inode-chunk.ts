// A record of an inode B-tree, big endian: a chunk of 64 inodes. Known from "XFS Algorithms & Data Structures", "Inode
// B+trees" and "Sparse Inodes":
//
//   first inode (4) │ free inodes (4) │ which are free, a bit each, the lowest for the first (8)
//
// With sparse inodes, the second word is: which are not there, a bit for each four (2), inodes (1), free inodes (1).
// What is not there is marked free.
import { FormatError } from '../../format-error.ts'
import type { BtreeBlock } from '../btree-block.ts'

export const CHUNK_INODES = 64
const INODES_PER_HOLE = 4
const RECORD_BYTES = 16

export type InodeChunk = {
  /** Its number in the AG. */
  readonly firstInode: number
  readonly inodeCount: number
  readonly freeCount: number
  /** Of each of the 64. */
  readonly isThere: readonly boolean[]
  /** There, and not free. */
  readonly inUse: readonly boolean[]
}

/** What the records of an AG must fit. */
export type ChunkRules = {
  readonly isSparse: boolean
  readonly inodesPerBlock: number
  /** The number in the AG that the first inode beyond it would have. */
  readonly inodeEnd: number
}

/** Record `index` of a leaf. Throws FormatError when it does not agree with itself, or lies outside its AG. */
export function inodeChunkAt(
  leaf: Pick<BtreeBlock, 'view' | 'itemsOffset' | 'place'>,
  index: number,
  { isSparse, inodesPerBlock, inodeEnd }: ChunkRules,
): InodeChunk {
  const offset = leaf.itemsOffset + index * RECORD_BYTES
  const record = readRecord(leaf.view, offset, isSparse)
  const { firstInode, inodeCount, freeCount, isThere, isFree } = record
  const wrong = (found: string): FormatError =>
    new FormatError(leaf.place, `its record ${index} of inodes from ${firstInode} ${found}`)
  if (firstInode % inodesPerBlock !== 0) throw wrong('does not begin with a block')
  const all = Array.from({ length: CHUNK_INODES }, (_, inode) => inode)
  const there = all.filter(isThere)
  if (firstInode + (there.at(-1) ?? 0) >= inodeEnd) throw wrong(`reaches beyond inode ${inodeEnd}`)
  if (all.some((inode) => !isThere(inode) && !isFree(inode))) throw wrong('has an inode in use in a hole')
  const free = there.filter(isFree).length
  if (there.length !== inodeCount || free !== freeCount) {
    throw wrong(`has ${there.length}, ${free} of them free, and says ${inodeCount} and ${freeCount}`)
  }
  const inUse = all.map((inode) => isThere(inode) && !isFree(inode))
  return { firstInode, inodeCount, freeCount, isThere: all.map(isThere), inUse }
}

type ChunkRecord = Omit<InodeChunk, 'inUse' | 'isThere'> & {
  readonly isThere: (inode: number) => boolean
  readonly isFree: (inode: number) => boolean
}

function readRecord(view: DataView, offset: number, isSparse: boolean): ChunkRecord {
  const holes = isSparse ? view.getUint16(offset + 4) : 0
  const free = [view.getUint32(offset + 12), view.getUint32(offset + 8)]
  return {
    firstInode: view.getUint32(offset),
    inodeCount: isSparse ? view.getUint8(offset + 6) : CHUNK_INODES,
    freeCount: isSparse ? view.getUint8(offset + 7) : view.getUint32(offset + 4),
    isThere: (inode) => ((holes >>> Math.floor(inode / INODES_PER_HOLE)) & 1) === 0,
    isFree: (inode) => (((free[inode >>> 5] ?? 0) >>> (inode & 31)) & 1) === 1,
  }
}
