// The journal of ext3 and ext4 (jbd2), big-endian throughout: the kernel's "ext4 Data Structures and Algorithms",
// section "Journal (jbd2)".
import type { Layout } from '../../../bytes/struct.ts'

export const JOURNAL_MAGIC = 0xc03b3998

export const JournalBlock = {
  Descriptor: 1,
  Commit: 2,
  SuperblockVersion1: 3,
  SuperblockVersion2: 4,
  Revoke: 5,
} as const

/** What every block of the journal's own begins with. */
export const JOURNAL_HEADER_SIZE = 12

export const JOURNAL_SUPERBLOCK_SIZE = 1024
export const JOURNAL_SUPERBLOCK = {
  magic: [0x0, 'u32be'],
  kind: [0x4, 'u32be'],
  blockSizeBytes: [0xc, 'u32be'],
  blockCount: [0x10, 'u32be'],
  firstBlock: [0x14, 'u32be'],
  firstSequence: [0x18, 'u32be'],
  startBlock: [0x1c, 'u32be'],
  errorNumber: [0x20, 'u32be'],
  compatible: [0x24, 'u32be'],
  incompatible: [0x28, 'u32be'],
  uuid: [0x30, ['bytes', 16]],
  checksumKind: [0x50, 'u8'],
  fastCommitBlockCount: [0x54, 'u32be'],
  checksum: [0xfc, 'u32be'],
} as const satisfies Layout

export const JournalFeature = {
  /** Compatible: commits carry a checksum of their whole transaction. */
  Checksum: 0x1,
  /** All others are incompatible. */
  Revoke: 0x1,
  Bits64: 0x2,
  AsyncCommit: 0x4,
  ChecksumVersion2: 0x8,
  ChecksumVersion3: 0x10,
  FastCommit: 0x20,
} as const

export const TagFlag = {
  /** The block began with the magic number of the journal, which is zeroed here. */
  Escaped: 0x1,
  /** The UUID is the one before it, and is left out. */
  SameUuid: 0x2,
  Deleted: 0x4,
  Last: 0x8,
} as const
