// The headers of an allocation group: sectors 1, 2 and 3 after its superblock. Big-endian but for the checksums.
// Facts: XFS Algorithms & Data Structures, "AG Free Space Management", "AG Inode Management".
import type { Layout } from '../../bytes/struct.ts'

/** "XAGF" */
export const AGF_MAGIC = 0x58414746
export const AGF_CHECKSUM_OFFSET = 216
export const AGF = {
  magic: [0, 'u32be'],
  version: [4, 'u32be'],
  agNumber: [8, 'u32be'],
  length: [12, 'u32be'],
  byBlockRoot: [16, 'u32be'],
  bySizeRoot: [20, 'u32be'],
  reverseMapRoot: [24, 'u32be'],
  byBlockLevels: [28, 'u32be'],
  bySizeLevels: [32, 'u32be'],
  reverseMapLevels: [36, 'u32be'],
  freeListFirst: [40, 'u32be'],
  freeListLast: [44, 'u32be'],
  freeListCount: [48, 'u32be'],
  freeBlocks: [52, 'u32be'],
  longestFree: [56, 'u32be'],
  treeBlocks: [60, 'u32be'],
  uuid: [64, ['bytes', 16]],
} as const satisfies Layout

/** "XAGI" */
export const AGI_MAGIC = 0x58414749
export const AGI_CHECKSUM_OFFSET = 312
export const AGI = {
  magic: [0, 'u32be'],
  version: [4, 'u32be'],
  agNumber: [8, 'u32be'],
  length: [12, 'u32be'],
  inodes: [16, 'u32be'],
  root: [20, 'u32be'],
  levels: [24, 'u32be'],
  freeInodes: [28, 'u32be'],
  uuid: [296, ['bytes', 16]],
  freeInodeRoot: [328, 'u32be'],
  freeInodeLevels: [332, 'u32be'],
} as const satisfies Layout

/** "XAFL"; version 4 has no header, its blocks begin at byte 0. */
export const AGFL_MAGIC = 0x5841464c
export const AGFL_CHECKSUM_OFFSET = 32
export const AGFL_HEADER_BYTES = 36
export const AGFL = {
  magic: [0, 'u32be'],
  agNumber: [4, 'u32be'],
  uuid: [8, ['bytes', 16]],
} as const satisfies Layout
