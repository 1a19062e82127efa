// XFS superblock, one sector, big-endian but for its checksum. Facts: XFS Algorithms & Data Structures,
// "Superblocks". Inode numbers of quota and realtime metadata are bytes: they may be "none", all ones.
import type { Layout } from '../../bytes/struct.ts'

/** "XFSB" */
export const SUPERBLOCK_MAGIC = 0x58465342
/** The least a superblock is: its sector may be larger, all its fields are in here. */
export const SUPERBLOCK_BYTES_MIN = 512
export const SUPERBLOCK_CHECKSUM_OFFSET = 224

export const SUPERBLOCK = {
  magic: [0, 'u32be'],
  blockSize: [4, 'u32be'],
  dataBlocks: [8, 'u64be'],
  realtimeBlocks: [16, 'u64be'],
  realtimeExtents: [24, 'u64be'],
  uuid: [32, ['bytes', 16]],
  logStart: [48, 'u64be'],
  rootInodeHigh: [56, 'u32be'],
  rootInodeLow: [60, 'u32be'],
  realtimeInodes: [64, ['bytes', 16]],
  realtimeExtentBlocks: [80, 'u32be'],
  agBlocks: [84, 'u32be'],
  agCount: [88, 'u32be'],
  logBlocks: [96, 'u32be'],
  versionNumber: [100, 'u16be'],
  sectorSize: [102, 'u16be'],
  inodeSize: [104, 'u16be'],
  inodesPerBlock: [106, 'u16be'],
  label: [108, ['bytes', 12]],
  blockLog: [120, 'u8'],
  sectorLog: [121, 'u8'],
  inodeLog: [122, 'u8'],
  inodesPerBlockLog: [123, 'u8'],
  agBlockLog: [124, 'u8'],
  inProgress: [126, 'u8'],
  inodes: [128, 'u64be'],
  freeInodes: [136, 'u64be'],
  freeBlocks: [144, 'u64be'],
  freeRealtimeExtents: [152, 'u64be'],
  quotaInodes: [160, ['bytes', 16]],
  inodeAlignment: [180, 'u32be'],
  stripeUnit: [184, 'u32be'],
  stripeWidth: [188, 'u32be'],
  directoryBlockLog: [192, 'u8'],
  logSectorLog: [193, 'u8'],
  logSectorSize: [194, 'u16be'],
  logStripeUnit: [196, 'u32be'],
  features2: [200, 'u32be'],
  badFeatures2: [204, 'u32be'],
  readOnlyCompatible: [212, 'u32be'],
  incompatible: [216, 'u32be'],
  logIncompatible: [220, 'u32be'],
  sparseInodeAlignment: [228, 'u32be'],
  projectQuotaInode: [232, ['bytes', 8]],
  metaUuid: [248, ['bytes', 16]],
} as const satisfies Layout
