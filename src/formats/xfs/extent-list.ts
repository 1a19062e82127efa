// A list of packed extents: the whole fork of a file with few of them, or a leaf of its tree.
import { FormatError, type StructurePlace } from '../format-error.ts'
import { fsBlocksOffsetBytes } from './addresses.ts'
import { PACKED_EXTENT_BYTES, unpackExtent } from './packed-extent.ts'
import type { XfsSuperblock } from './superblock.ts'

const FILE_SIZE_LOG = 63

/** Of whom wants extents: called with the offset of each block of a tree that is read for them. */
export type OnTreeBlock = { readonly onNode?: (offsetBytes: number) => void }

/** A run of blocks of a fork. */
export type ForkExtent = {
  /** Of the fork, in blocks. */
  readonly startBlock: number
  readonly blockCount: number
  /** Where the first block lies in the volume. */
  readonly offsetBytes: number
  /** Allocated, but reads as zeros. */
  readonly isUnwritten: boolean
}

/** The end of the largest file of the format, which is far beyond the largest that is read here. */
export function endOfForks(superblock: XfsSuperblock): number {
  return 2 ** (FILE_SIZE_LOG - superblock.blockLog)
}

/** Blocks of a fork: `endBlock` is the one after the last. */
export type BlockSpan = { readonly startBlock: number; readonly endBlock: number }

export type ExtentList = {
  readonly bytes: Uint8Array
  readonly place: StructurePlace
  readonly count: number
  /** Where all of them must lie. */
  readonly bounds: BlockSpan
}

/**
 * The extents of a list that overlap `wanted`, ascending. Throws FormatError when they are not ascending, empty, or
 * lie outside the volume. `list.bytes` must hold `list.count` of them.
 */
export function parseExtentList(
  superblock: XfsSuperblock,
  list: ExtentList,
  wanted: BlockSpan,
): ForkExtent[] {
  const { bytes, place, bounds } = list
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const extents: ForkExtent[] = []
  let nextBlock = bounds.startBlock
  for (let index = 0; index < list.count; index += 1) {
    const { startBlock, blockCount, volumeBlock, isUnwritten } = unpackExtent(
      view,
      index * PACKED_EXTENT_BYTES,
    )
    const endBlock = startBlock + blockCount
    if (startBlock < nextBlock || blockCount === 0 || endBlock > bounds.endBlock) {
      throw new FormatError(
        place,
        `extent ${index} is ${blockCount} blocks at ${startBlock}, ` +
          `expected some from ${nextBlock} and below ${bounds.endBlock}`,
      )
    }
    nextBlock = endBlock
    if (endBlock <= wanted.startBlock) continue
    if (startBlock >= wanted.endBlock) break
    const offsetBytes = fsBlocksOffsetBytes(superblock, { fsBlock: volumeBlock, blockCount }, place)
    extents.push({ startBlock, blockCount, offsetBytes, isUnwritten })
  }
  return extents
}
