import type { Range, RangeBatch } from '../domain/range.ts'

/** Inodes whose numbers follow one another, and that lie one after the other. */
export type InodeRun = { readonly firstNumber: number; readonly count: number; readonly offsetBytes: number }

/**
 * What an inode is used for: a file, which has names; something of the file system that nobody sees, such as a quota;
 * or nothing.
 */
export type InodeUse = 'file' | 'hidden' | 'none'

/**
 * Where a file system keeps its inodes, and what belongs to each: with it, the inode that a block belongs to is found
 * without walking through folders. All offsets are those of the volume. What lies there is read as it lies: it means
 * nothing while `allocation` is not proven. Methods throw FormatError for what is damaged.
 */
export type InodeMap = {
  /** Two file systems that have the same here have each inode at the same place. */
  readonly layout: string
  readonly inodeSizeBytes: number
  /** The runs of inodes that may be in use and that touch `within`, whole, in the order in which they lie. */
  inodeRuns(within: Range, signal: AbortSignal): AsyncIterable<readonly InodeRun[]>
  /** `inode` is all bytes of it. */
  useOf(number: number, inode: Uint8Array): InodeUse
  /** Whether two states of one inode differ in nothing but when it was read and how often it was written. */
  isSameInode(before: Uint8Array, after: Uint8Array): boolean
  /**
   * All that belongs to an inode in use and to no other: content, also beyond its end, and the blocks of its maps and
   * attributes. With `shared`, also what others may have, too. In any order.
   */
  rangesOf(
    number: number,
    options: { readonly shared: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<RangeBatch>
  /** What belongs to no file: superblocks, descriptors, bitmaps, inodes, journal. In any order; not all of it. */
  structure(signal: AbortSignal): AsyncIterable<RangeBatch>
  /** Whether what two blocks of one place differ in is of no file: they name themselves as something else. */
  concernsNoFile(before: Uint8Array, after: Uint8Array, offsetBytes: number): boolean
  /**
   * What is free in the parts of the volume that `within` touches, or room for inodes; nothing of a part whose bitmap is
   * damaged.
   */
  freeRanges(within: Range, signal: AbortSignal): AsyncIterable<RangeBatch>
  /** The number of the directory that a directory is in, as it says itself. */
  parentOf(directoryNumber: number): Promise<number>
}
