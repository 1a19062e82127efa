// One block of a B-tree: short form (pointers within one AG) and long form, versions 4 and 5. Facts: XFS Algorithms &
// Data Structures, "Short Format B+trees" and "Long Format B+trees".
import { isSameBytes } from '../../bytes/same-bytes.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import type { BtreeKind, OrderAt } from './btree-kinds.ts'
import { requireChecksum } from './checksum.ts'
import { hex } from '../hex.ts'
import type { XfsSuperblock } from './superblock.ts'

export type BtreeBlock = {
  readonly place: StructurePlace
  readonly view: DataView
  /** 0 for a leaf. */
  readonly level: number
  /** Of records in a leaf, of keys and pointers above. */
  readonly count: number
  /** Bytes from the start of the block to its first record or key. */
  readonly itemsOffset: number
  /** Bytes from the start of the block to its first pointer; of no meaning in a leaf. */
  readonly pointersOffset: number
  /** Null at the edge of the level. */
  readonly left: number | null
  readonly right: number | null
}

/** What the pointer to a block promises of it. */
export type BtreeExpectation = {
  readonly kind: BtreeKind
  readonly level: number
  /** A root may be empty as a leaf. */
  readonly isRoot: boolean
  /** Number of the AG or inode that version 5 blocks name; null when it does not matter. */
  readonly owner: number | null
}

type Header = {
  readonly sizeBytes: number
  readonly blockNumber: number
  readonly uuid: number
  readonly owner: number
  readonly checksum: number
}
const SHORT: Header = { sizeBytes: 56, blockNumber: 16, uuid: 32, owner: 48, checksum: 52 }
const LONG: Header = { sizeBytes: 72, blockNumber: 24, uuid: 40, owner: 56, checksum: 64 }
const SHORT_4_BYTES = 16
const LONG_4_BYTES = 24
/** Blocks name their place in units of 512 bytes, whatever the sector size. */
const BASIC_BLOCK_BYTES = 512

/** Throws FormatError unless `bytes` is the block of the tree that was expected, whole and in order. */
export function parseBtreeBlock(
  bytes: Uint8Array,
  { kind, level, isRoot, owner }: BtreeExpectation,
  at: { readonly superblock: XfsSuperblock; readonly place: StructurePlace },
): BtreeBlock {
  const { superblock, place } = at
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint32(0)
  const { version } = superblock.features
  if (magic !== kind.magic[version]) {
    throw new FormatError(place, `magic is ${hex(magic)}, expected ${hex(kind.magic[version])}`)
  }
  const isShort = kind.pointerBytes === 4
  const header = isShort ? SHORT : LONG
  if (version === 5) requireIdentity(bytes, { header, owner, isShort }, at)
  const foundLevel = view.getUint16(4)
  if (foundLevel !== level) throw new FormatError(place, `level is ${foundLevel}, expected ${level}`)
  const itemsOffset = version === 5 ? header.sizeBytes : isShort ? SHORT_4_BYTES : LONG_4_BYTES
  const itemBytes = level === 0 ? kind.recordBytes : kind.keyBytes + kind.pointerBytes
  const countMax = Math.floor((bytes.byteLength - itemsOffset) / itemBytes)
  const count = view.getUint16(6)
  if (count > countMax || (count === 0 && !(isRoot && level === 0))) {
    throw new FormatError(place, `it holds ${count} items, expected 1 to ${countMax}`)
  }
  const block = {
    place,
    view,
    level,
    count,
    itemsOffset,
    pointersOffset: itemsOffset + countMax * kind.keyBytes,
    left: siblingAt(view, 8, isShort),
    right: siblingAt(view, isShort ? 12 : 16, isShort),
  }
  requireOrder(block, kind)
  return block
}

/** The block that the `index`th pointer of an inner block points to. */
export function pointerAt(block: BtreeBlock, kind: BtreeKind, index: number): number {
  const offset = block.pointersOffset + index * kind.pointerBytes
  return kind.pointerBytes === 4 ? block.view.getUint32(offset) : longAt(block.view, offset)
}

function requireIdentity(
  bytes: Uint8Array,
  { header, owner, isShort }: { header: Header; owner: number | null; isShort: boolean },
  { superblock, place }: { superblock: XfsSuperblock; place: StructurePlace },
): void {
  requireChecksum(bytes, header.checksum, place)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blockNumber = longAt(view, header.blockNumber)
  if (blockNumber * BASIC_BLOCK_BYTES !== place.offsetBytes) {
    throw new FormatError(place, `it says that it lies at byte ${blockNumber * BASIC_BLOCK_BYTES}`)
  }
  if (!isSameBytes(bytes.subarray(header.uuid, header.uuid + 16), superblock.metaUuid)) {
    throw new FormatError(place, 'its uuid is that of another file system')
  }
  const foundOwner = isShort ? view.getUint32(header.owner) : longAt(view, header.owner)
  if (owner !== null && foundOwner !== owner) {
    throw new FormatError(place, `its owner is ${foundOwner}, expected ${owner}`)
  }
}

/** Keys and records ascend and no two are equal. */
function requireOrder({ place, view, level, count, itemsOffset }: BtreeBlock, kind: BtreeKind): void {
  const [major, minor, itemBytes]: readonly [OrderAt, OrderAt, number] =
    level === 0
      ? [kind.recordMajor, kind.recordMinor, kind.recordBytes]
      : [kind.keyMajor, kind.keyMinor, kind.keyBytes]
  let lastMajor = -1
  let lastMinor = -1
  for (let index = 0; index < count; index += 1) {
    const offset = itemsOffset + index * itemBytes
    const itemMajor = major(view, offset)
    const itemMinor = minor(view, offset)
    if (itemMajor < lastMajor || (itemMajor === lastMajor && itemMinor <= lastMinor)) {
      throw new FormatError(place, `its item ${index} is not after the one before`)
    }
    lastMajor = itemMajor
    lastMinor = itemMinor
  }
}

function siblingAt(view: DataView, offset: number, isShort: boolean): number | null {
  const low = view.getUint32(isShort ? offset : offset + 4)
  const high = isShort ? 0xffff_ffff : view.getUint32(offset)
  if (low === 0xffff_ffff && high === 0xffff_ffff) return null
  return isShort ? low : high * 2 ** 32 + low
}

function longAt(view: DataView, offset: number): number {
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4)
}
