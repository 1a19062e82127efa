// Checksums of directory blocks: the kernel's "ext4 Data Structures and Algorithms", sections "Directory Entries" and
// "Hash Tree Directories".
import { hex } from '../hex.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { ext4Checksum } from './checksum.ts'

/** A leaf ends with something like an entry, not in use, of this size and of this kind. */
const TAIL_SIZE = 12
const TAIL_KIND = 0xde
const DOT_RECORD_SIZE = 12
/** Where the limit and the count of hashes lie: behind `.`, `..` and eight bytes of the root, or an unused entry. */
const ROOT_TABLE_OFFSET = 32
const NODE_TABLE_OFFSET = 8
const TABLE_ENTRY_SIZE = 8
const ROOT_INFO_OFFSET = 24
const ROOT_INFO_SIZE = 8

export type DirectoryBlock = {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly place: StructurePlace
  readonly isFirst: boolean
  readonly isIndexed: boolean
}

/**
 * Throws FormatError when the checksum of a block does not fit. False when it has none, which is odd: a directory
 * that is older than the checksums of its file system has no room for it in a full block.
 */
export function checkDirectoryBlock(block: DirectoryBlock, inodeSeed: number): boolean {
  const tableOffset = block.isIndexed ? hashTableOffset(block) : null
  return tableOffset === null ? checkLeaf(block, inodeSeed) : checkHashes(block, tableOffset, inodeSeed)
}

/** Where the hashes of a node of the tree lie, null for a leaf. */
function hashTableOffset({ view, isFirst }: DirectoryBlock): number | null {
  if (!isFirst) {
    const fillsBlock = isWholeBlock(view.getUint16(4, true), view.byteLength)
    return view.getUint32(0, true) === 0 && fillsBlock ? NODE_TABLE_OFFSET : null
  }
  const isRoot =
    view.getUint16(4, true) === DOT_RECORD_SIZE &&
    view.getUint16(DOT_RECORD_SIZE + 4, true) === (view.byteLength - DOT_RECORD_SIZE) % 0x10000 &&
    view.getUint32(ROOT_INFO_OFFSET, true) === 0 &&
    view.getUint8(ROOT_INFO_OFFSET + 5) === ROOT_INFO_SIZE
  return isRoot ? ROOT_TABLE_OFFSET : null
}

function isWholeBlock(recordSize: number, blockSizeBytes: number): boolean {
  if (blockSizeBytes < 0x10000) return recordSize === blockSizeBytes
  return recordSize === 0 || recordSize === 0xffff
}

function checkLeaf({ bytes, view, place }: DirectoryBlock, inodeSeed: number): boolean {
  const tail = bytes.byteLength - TAIL_SIZE
  const hasTail =
    view.getUint32(tail, true) === 0 &&
    view.getUint16(tail + 4, true) === TAIL_SIZE &&
    view.getUint8(tail + 6) === 0 &&
    view.getUint8(tail + 7) === TAIL_KIND
  if (!hasTail) return false
  compare(view.getUint32(tail + 8, true), ext4Checksum(bytes.subarray(0, tail), inodeSeed), place)
  return true
}

/** Of the hashes that are in use, then of the eight bytes behind the last that there is room for, checksum zero. */
function checkHashes(block: DirectoryBlock, tableOffset: number, inodeSeed: number): boolean {
  const { bytes, view, place } = block
  const limit = view.getUint16(tableOffset, true)
  const count = view.getUint16(tableOffset + 2, true)
  const tail = tableOffset + limit * TABLE_ENTRY_SIZE
  if (tail + 8 > bytes.byteLength) return false
  if (count > limit) throw new FormatError(place, `it has ${count} hashes, with room for ${limit}`)
  const used = ext4Checksum(bytes.subarray(0, tableOffset + count * TABLE_ENTRY_SIZE), inodeSeed)
  const end = bytes.slice(tail, tail + 8)
  end.fill(0, 4)
  compare(view.getUint32(tail + 4, true), ext4Checksum(end, used), place)
  return true
}

function compare(found: number, expected: number, place: StructurePlace): void {
  if (found === expected) return
  throw new FormatError(place, `checksum is ${hex(found)}, expected ${hex(expected)}`)
}
