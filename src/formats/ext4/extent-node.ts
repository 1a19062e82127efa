// A node of an extent tree: the kernel's "ext4 Data Structures and Algorithms", section "Extent Tree". The root lies in
// the inode, the others fill a block each.
import { hex } from '../hex.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { ext4Checksum } from './checksum.ts'

const MAGIC = 0xf30a
const HEADER_SIZE = 12
const ENTRY_SIZE = 12
/** Five levels of the smallest blocks hold more extents than a file has blocks. */
const EXTENT_DEPTH_MAX = 5
/** A longer one is unwritten, and so much shorter. */
const WRITTEN_LENGTH_MAX = 32768
const TWO_TO_32 = 2 ** 32

export type ExtentNode = {
  readonly place: StructurePlace
  /** 0 for a leaf. */
  readonly depth: number
  readonly entryCount: number
  readonly view: DataView
}

/** The node in `bytes`; its entries are checked when they are read. */
export function parseExtentNode(bytes: Uint8Array, place: StructurePlace): ExtentNode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint16(0, true)
  if (magic !== MAGIC) {
    throw new FormatError(place, `magic is ${hex(magic)}, expected ${hex(MAGIC)}`)
  }
  const entryCount = view.getUint16(2, true)
  const capacity = view.getUint16(4, true)
  const room = Math.floor((bytes.byteLength - HEADER_SIZE) / ENTRY_SIZE)
  if (entryCount > capacity || capacity > room) {
    throw new FormatError(place, `it has ${entryCount} of ${capacity} entries, with room for ${room}`)
  }
  const depth = view.getUint16(6, true)
  if (depth > EXTENT_DEPTH_MAX) {
    throw new FormatError(place, `depth is ${depth}, expected at most ${EXTENT_DEPTH_MAX}`)
  }
  return { place, depth, entryCount, view }
}

/** The checksum of a node in a block follows the last entry that it has room for. */
export function checkExtentNode(node: ExtentNode, bytes: Uint8Array, inodeSeed: number): void {
  const capacity = node.view.getUint16(4, true)
  const tailOffset = HEADER_SIZE + capacity * ENTRY_SIZE
  if (tailOffset + 4 > bytes.byteLength) {
    throw new FormatError(node.place, `${capacity} entries leave no room for its checksum`)
  }
  const found = node.view.getUint32(tailOffset, true)
  const expected = ext4Checksum(bytes.subarray(0, tailOffset), inodeSeed)
  if (found !== expected) {
    throw new FormatError(node.place, `checksum is ${hex(found)}, expected ${hex(expected)}`)
  }
}

/** The first block of the file that entry `index` of a node is about, of whichever kind. */
export function entryFileBlock(node: ExtentNode, index: number): number {
  return node.view.getUint32(HEADER_SIZE + index * ENTRY_SIZE, true)
}

/** The block that the child of an inner node lies in. */
export function childBlock(node: ExtentNode, index: number): number {
  const offset = HEADER_SIZE + index * ENTRY_SIZE
  return node.view.getUint32(offset + 4, true) + node.view.getUint16(offset + 8, true) * TWO_TO_32
}

export function extentBlockCount(node: ExtentNode, index: number): number {
  const length = node.view.getUint16(HEADER_SIZE + index * ENTRY_SIZE + 4, true)
  return length > WRITTEN_LENGTH_MAX ? length - WRITTEN_LENGTH_MAX : length
}

export function isExtentUnwritten(node: ExtentNode, index: number): boolean {
  return node.view.getUint16(HEADER_SIZE + index * ENTRY_SIZE + 4, true) > WRITTEN_LENGTH_MAX
}

export function extentFirstBlock(node: ExtentNode, index: number): number {
  const offset = HEADER_SIZE + index * ENTRY_SIZE
  return node.view.getUint32(offset + 8, true) + node.view.getUint16(offset + 6, true) * TWO_TO_32
}

/** The last entry that begins at or before `fileBlock`, or the first one: where a search for it starts. */
export function entryAtOrBefore(node: ExtentNode, fileBlock: number): number {
  let low = 0
  let high = node.entryCount
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (entryFileBlock(node, middle) <= fileBlock) low = middle
    else high = middle
  }
  return low
}
