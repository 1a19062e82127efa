// One extent of a file, 128 bits, big endian. Known from "XFS Algorithms & Data Structures", "Data Extents":
//
//   127        126 ─────────── 73   72 ─────── 21   20 ──── 0
//   unwritten  first block of file  block of volume  count

/** A run of blocks of a file and where it lies: all in blocks. */
export type BlockExtent = {
  readonly startBlock: number
  readonly blockCount: number
  /** A file system block number: allocation group and block in it, not an address. */
  readonly volumeBlock: number
  /** Allocated, but reads as zeros. */
  readonly isUnwritten: boolean
}

export const PACKED_EXTENT_BYTES = 16

/** The record at `offset`, which must lie within `view`. Nothing is checked but its 128 bits. */
export function unpackExtent(view: DataView, offset: number): BlockExtent {
  const first = view.getUint32(offset)
  const second = view.getUint32(offset + 4)
  const last = view.getUint32(offset + 12)
  return {
    isUnwritten: first >= 2 ** 31,
    startBlock: (first % 2 ** 31) * 2 ** 23 + (second >>> 9),
    volumeBlock: (second & 0x1ff) * 2 ** 43 + view.getUint32(offset + 8) * 2 ** 11 + (last >>> 21),
    blockCount: last & 0x1f_ffff,
  }
}
