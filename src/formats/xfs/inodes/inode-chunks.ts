import { agBlockCount } from '../addresses.ts'
import { readAgInodes, type AgInodes } from '../ag-headers.ts'
import { INODES } from '../btree-kinds.ts'
import { FormatError } from '../../format-error.ts'
import type { XfsVolume } from '../volume.ts'
import { walkBtree } from '../walk-btree.ts'
import { CHUNK_INODES, inodeChunkAt, type InodeChunk } from './inode-chunk.ts'

/** Numbers of inodes in an AG, from `first` up to but not including `end`. */
export type InodeWindow = { readonly first: number; readonly end: number }

/**
 * The chunks of an AG that have inodes in `window`, ascending, a leaf of the tree at a time. When all are asked for,
 * throws FormatError at the end if they are not as many as the AG says.
 */
export async function* inodeChunks(
  volume: XfsVolume,
  agNumber: number,
  window?: InodeWindow,
): AsyncGenerator<readonly InodeChunk[]> {
  const header = await readAgInodes(volume, agNumber)
  const { root, levels, place } = header
  const { inodesPerBlock, features } = volume.superblock
  const inodeEnd = agBlockCount(volume.superblock, agNumber) * inodesPerBlock
  const rules = { isSparse: features.sparseInodes, inodesPerBlock, inodeEnd }
  const within = window ?? { first: 0, end: inodeEnd }
  const walk = {
    kind: INODES,
    agNumber,
    owner: agNumber,
    window: { first: within.first - CHUNK_INODES, end: within.end },
  }
  let end = 0
  const count = { inodes: 0, free: 0 }
  for await (const leaf of walkBtree(volume, walk, [{ pointer: root, level: levels - 1, place }])) {
    const chunks: InodeChunk[] = []
    for (let index = 0; index < leaf.count; index += 1) {
      const chunk = inodeChunkAt(leaf, index, rules)
      if (chunk.firstInode < end)
        throw new FormatError(leaf.place, `its record ${index} overlaps the one before`)
      end = chunk.firstInode + CHUNK_INODES
      count.inodes += chunk.inodeCount
      count.free += chunk.freeCount
      if (end > within.first && chunk.firstInode < within.end) chunks.push(chunk)
    }
    yield chunks
  }
  if (window === undefined) requireCounts(header, count)
}

function requireCounts(
  { inodes, freeInodes, place }: AgInodes,
  count: { readonly inodes: number; readonly free: number },
): void {
  if (count.inodes === inodes && count.free === freeInodes) return
  throw new FormatError(
    place,
    `it says ${inodes} inodes, ${freeInodes} of them free, its tree has ${count.inodes} and ${count.free}`,
  )
}
