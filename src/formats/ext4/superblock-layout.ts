// Fields and offsets as in the kernel's "ext4 Data Structures and Algorithms", section "The Super Block".
import type { Layout } from '../../bytes/struct.ts'

/** The superblock lies 1024 bytes into the volume, whatever the size of its blocks, and is as long. */
export const SUPERBLOCK_OFFSET = 1024
export const SUPERBLOCK_SIZE = 1024
export const SUPERBLOCK_MAGIC = 0xef53
/** The checksum is the last field, of all bytes before it. */
export const SUPERBLOCK_CHECKED_BYTES = 0x3fc

export const SUPERBLOCK = {
  inodeCount: [0x0, 'u32le'],
  blockCountLow: [0x4, 'u32le'],
  freeBlockCountLow: [0xc, 'u32le'],
  freeInodeCount: [0x10, 'u32le'],
  firstDataBlock: [0x14, 'u32le'],
  logBlockSize: [0x18, 'u32le'],
  logClusterSize: [0x1c, 'u32le'],
  blocksPerGroup: [0x20, 'u32le'],
  clustersPerGroup: [0x24, 'u32le'],
  inodesPerGroup: [0x28, 'u32le'],
  magic: [0x38, 'u16le'],
  state: [0x3a, 'u16le'],
  revision: [0x4c, 'u32le'],
  firstInode: [0x54, 'u32le'],
  inodeSize: [0x58, 'u16le'],
  groupNumber: [0x5a, 'u16le'],
  compatible: [0x5c, 'u32le'],
  incompatible: [0x60, 'u32le'],
  readOnlyCompatible: [0x64, 'u32le'],
  uuid: [0x68, ['bytes', 16]],
  label: [0x78, ['bytes', 16]],
  reservedDescriptorBlocks: [0xce, 'u16le'],
  journalUuid: [0xd0, ['bytes', 16]],
  journalInode: [0xe0, 'u32le'],
  journalDevice: [0xe4, 'u32le'],
  lastOrphan: [0xe8, 'u32le'],
  hashSeed: [0xec, ['bytes', 16]],
  defaultHashVersion: [0xfc, 'u8'],
  journalBackupKind: [0xfd, 'u8'],
  descriptorSize: [0xfe, 'u16le'],
  firstMetaBlockGroup: [0x104, 'u32le'],
  journalBackup: [0x10c, ['bytes', 68]],
  blockCountHigh: [0x150, 'u32le'],
  freeBlockCountHigh: [0x158, 'u32le'],
  flags: [0x160, 'u32le'],
  mmpBlock: [0x168, ['bytes', 8]],
  logGroupsPerFlex: [0x174, 'u8'],
  checksumKind: [0x175, 'u8'],
  errorCount: [0x194, 'u32le'],
  userQuotaInode: [0x240, 'u32le'],
  groupQuotaInode: [0x244, 'u32le'],
  backupGroups: [0x24c, ['bytes', 8]],
  lostAndFoundInode: [0x268, 'u32le'],
  projectQuotaInode: [0x26c, 'u32le'],
  checksumSeed: [0x270, 'u32le'],
  encoding: [0x27c, 'u16le'],
  encodingFlags: [0x27e, 'u16le'],
  orphanFileInode: [0x280, 'u32le'],
  checksum: [0x3fc, 'u32le'],
} as const satisfies Layout
