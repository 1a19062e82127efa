// The B-trees of XFS that are read here: how a record and a key of each look. Facts: XFS Algorithms & Data
// Structures, "AG Free Space B+trees", "Inode B+trees", "B+tree Extent Lists".

/**
 * Records and keys are ordered by two numbers. Of most trees the first says it all; free extents by size are
 * ordered by size and then by place.
 */
export type OrderAt = (view: DataView, offset: number) => number

export type BtreeKind = {
  readonly name: string
  readonly magic: { readonly 4: number; readonly 5: number }
  /** Short pointers are blocks of one AG, long ones blocks of the volume. */
  readonly pointerBytes: 4 | 8
  readonly recordBytes: number
  readonly keyBytes: number
  readonly recordMajor: OrderAt
  readonly recordMinor: OrderAt
  readonly keyMajor: OrderAt
  readonly keyMinor: OrderAt
}

const none: OrderAt = () => 0
const first32: OrderAt = (view, offset) => view.getUint32(offset)
const second32: OrderAt = (view, offset) => view.getUint32(offset + 4)
const first64: OrderAt = (view, offset) => view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4)
/** 54 bits below the flag "unwritten". */
const fileOffset: OrderAt = (view, offset) =>
  (view.getUint32(offset) & 0x7fff_ffff) * 2 ** 23 + (view.getUint32(offset + 4) >>> 9)

const ordered32 = { recordMajor: first32, recordMinor: none, keyMajor: first32, keyMinor: none } as const

/** Free extents by place: "AB3B", before "ABTB". */
export const FREE_BY_BLOCK: BtreeKind = {
  name: 'free space B-tree by block',
  magic: { 4: 0x41425442, 5: 0x41423342 },
  pointerBytes: 4,
  recordBytes: 8,
  keyBytes: 8,
  ...ordered32,
}

/** Free extents by size: "AB3C", before "ABTC". */
export const FREE_BY_SIZE: BtreeKind = {
  name: 'free space B-tree by size',
  magic: { 4: 0x41425443, 5: 0x41423343 },
  pointerBytes: 4,
  recordBytes: 8,
  keyBytes: 8,
  recordMajor: second32,
  recordMinor: first32,
  keyMajor: second32,
  keyMinor: first32,
}

/** Chunks of 64 inodes: "IAB3", before "IABT". */
export const INODES: BtreeKind = {
  name: 'inode B-tree',
  magic: { 4: 0x49414254, 5: 0x49414233 },
  pointerBytes: 4,
  recordBytes: 16,
  keyBytes: 4,
  ...ordered32,
}

/** The chunks with a free inode: "FIB3". */
export const FREE_INODES: BtreeKind = {
  ...INODES,
  name: 'free inode B-tree',
  magic: { 4: 0x46494254, 5: 0x46494233 },
}

/** Extents of a fork by place in the file: "BMA3", before "BMAP". */
export const FILE_EXTENTS: BtreeKind = {
  name: 'extent B-tree',
  magic: { 4: 0x424d4150, 5: 0x424d4133 },
  pointerBytes: 8,
  recordBytes: 16,
  keyBytes: 8,
  recordMajor: fileOffset,
  recordMinor: none,
  keyMajor: first64,
  keyMinor: none,
}
