// The metadata device of a thin pool, all little-endian, in blocks of 4096 bytes: block 0 is the superblock, all else is
// found from it. Known from the kernel's documentation of the thin-provisioning targets and of their persistent data
// (admin-guide/device-mapper/thin-provisioning, .../persistent-data), and from what the thin-provisioning-tools show.
import type { Layout } from '../../bytes/struct.ts'

export const METADATA_BLOCK_BYTES = 4096
const SECTOR_BYTES = 512
export const METADATA_BLOCK_SECTORS = METADATA_BLOCK_BYTES / SECTOR_BYTES

export const SUPERBLOCK_MAGIC = 27_022_010
export const VERSION_MIN = 1
export const VERSION_MAX = 2
export const FLAG_NEEDS_CHECK = 1

/** 64 KiB to 1 GiB, in steps of 64 KiB. */
export const DATA_BLOCK_SECTORS_STEP = 128
export const DATA_BLOCK_SECTORS_MAX = 2 ** 21

/** The checksum of a block is its CRC-32C, without the last inversion, xor a number for its kind. */
export const SUPERBLOCK_SALT = 160_774
export const NODE_SALT = 121_107

export const SUPERBLOCK = {
  checksum: [0, 'u32le'],
  flags: [4, 'u32le'],
  blockNumber: [8, 'u64le'],
  uuid: [16, ['bytes', 16]],
  magic: [32, 'u64le'],
  version: [40, 'u32le'],
  time: [44, 'u32le'],
  transactionId: [48, 'u64le'],
  /** The block of the metadata snapshot's superblock, 0 for none. */
  heldRoot: [56, 'u64le'],
  /** Two space maps, of which the first words are of use here; zero in a metadata snapshot. */
  dataBlockCount: [64, 'u64le'],
  dataAllocatedCount: [72, 'u64le'],
  metadataBlockCount: [192, 'u64le'],
  metadataAllocatedCount: [200, 'u64le'],
  mappingRoot: [320, 'u64le'],
  detailsRoot: [328, 'u64le'],
  dataBlockSectors: [336, 'u32le'],
  metadataBlockSectors: [340, 'u32le'],
  incompatibleFeatures: [360, 'u32le'],
} as const satisfies Layout

/**
 * A node of a B-tree: this header, `entryCountMax` keys of 8 bytes, as many values. The values of an inner node are
 * block numbers, and each key is at most the first key below it.
 */
export const NODE = {
  checksum: 0,
  flags: 4,
  blockNumber: 8,
  entryCount: 16,
  entryCountMax: 20,
  valueBytes: 24,
  keys: 32,
} as const
export const NODE_INNER = 1
export const NODE_LEAF = 2
export const KEY_BYTES = 8
export const INNER_VALUE_BYTES = 8

/** A data block's number in the upper 40 bits, the time of the mapping in the lower 24. */
export const MAPPING_BYTES = 8

export const DEVICE_DETAILS = {
  mappedBlockCount: [0, 'u64le'],
  transactionId: [8, 'u64le'],
  creationTime: [16, 'u32le'],
  snapshotTime: [20, 'u32le'],
} as const satisfies Layout

/** Device numbers have 24 bits. */
export const DEVICE_ID_END = 2 ** 24

export function sectorsToBytes(sectors: number): number {
  return sectors * SECTOR_BYTES
}
