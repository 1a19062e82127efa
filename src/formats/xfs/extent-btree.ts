// The tree of a fork with more extents than fit into the inode. Its root is in the fork, and smaller than a block:
//
//   level, count (16 bits each) │ keys, room for all │ pointers
//
// Known from "XFS Algorithms & Data Structures", "B+tree Extent Lists".
import { FormatError, type StructurePlace } from '../format-error.ts'
import type { BtreeBlock } from './btree-block.ts'
import { FILE_EXTENTS } from './btree-kinds.ts'
import {
  endOfForks,
  parseExtentList,
  type BlockSpan,
  type ForkExtent,
  type OnTreeBlock,
} from './extent-list.ts'
import type { Fork, Inode } from './inode.ts'
import { PACKED_EXTENT_BYTES } from './packed-extent.ts'
import type { XfsVolume } from './volume.ts'
import { walkBtree, type BtreeChild } from './walk-btree.ts'

const ROOT_HEADER_BYTES = 4
const KEY_BYTES = 8
const POINTER_BYTES = 8

/** The extents that overlap `wanted`, a leaf at a time, in ascending order. */
export async function* walkExtentTree(
  volume: XfsVolume,
  { inode, fork }: { readonly inode: Inode; readonly fork: Fork },
  wanted: BlockSpan & OnTreeBlock,
): AsyncGenerator<readonly ForkExtent[]> {
  const place = {
    structure: `${inode.place.structure}, root of its ${fork.name} fork`,
    offsetBytes: fork.offsetBytes,
  }
  const children = parseExtentTreeRoot(fork.bytes, place)
  const walk = {
    kind: FILE_EXTENTS,
    agNumber: null,
    owner: inode.number,
    window: { first: wanted.startBlock, end: wanted.endBlock },
    onBlock: (block: BtreeBlock) => wanted.onNode?.(block.place.offsetBytes),
  }
  let doneBlock = 0
  let count = 0
  for await (const leaf of walkBtree(volume, walk, children)) {
    count += leaf.count
    requireCount(place, fork, count)
    // An extent that begins before the next leaf must not reach into it.
    const bounds = { startBlock: doneBlock, endBlock: endOfForks(volume.superblock) }
    const list = { bytes: recordsOf(leaf), place: leaf.place, count: leaf.count, bounds }
    const extents = parseExtentList(volume.superblock, list, wanted)
    const last = extents.at(-1)
    if (last !== undefined) doneBlock = last.startBlock + last.blockCount
    yield extents
  }
}

function recordsOf({ view, itemsOffset }: BtreeBlock): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + itemsOffset, view.byteLength - itemsOffset)
}

/** A tree has more extents than would fit into the fork, and not more than the inode says. */
function requireCount(place: StructurePlace, { bytes, extentCount }: Fork, countSoFar: number): void {
  const inlineCountMax = Math.floor(bytes.byteLength / PACKED_EXTENT_BYTES)
  if (extentCount > inlineCountMax && countSoFar <= extentCount) return
  throw new FormatError(
    place,
    `the inode says ${extentCount} extents, the tree has ${countSoFar} or more, expected more than ${inlineCountMax}`,
  )
}

/** `bytes` is the whole fork. */
function parseExtentTreeRoot(bytes: Uint8Array, place: StructurePlace): readonly BtreeChild[] {
  const countMax = Math.floor((bytes.byteLength - ROOT_HEADER_BYTES) / (KEY_BYTES + POINTER_BYTES))
  if (countMax < 1) throw new FormatError(place, `it has ${bytes.byteLength} bytes, too few for a tree`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const level = view.getUint16(0)
  const count = view.getUint16(2)
  if (level === 0) throw new FormatError(place, 'level is 0, expected at least 1')
  if (count === 0 || count > countMax) {
    throw new FormatError(place, `it holds ${count} pointers, expected 1 to ${countMax}`)
  }
  const keyAt = (index: number): number => uint64At(view, ROOT_HEADER_BYTES + index * KEY_BYTES)
  const pointersOffset = ROOT_HEADER_BYTES + countMax * KEY_BYTES
  return Array.from({ length: count }, (_, index) => {
    const low = keyAt(index)
    const high = index + 1 < count ? keyAt(index + 1) : Infinity
    if (low >= high) throw new FormatError(place, `its key ${index} is ${low}, and the next is ${high}`)
    const pointer = uint64At(view, pointersOffset + index * POINTER_BYTES)
    return { pointer, level: level - 1, bounds: { low, high }, place }
  })
}

/** Larger than a safe integer, it is no key and no pointer of any volume, and is refused where it is used. */
function uint64At(view: DataView, offset: number): number {
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4)
}
