// The log of XFS: records of a header and data, in blocks of 512 bytes whatever the sector size. Every block begins
// with the number of the round (cycle) in which it was written, but for headers, which begin with a magic; what the
// cycle replaced in a data block is kept in the header. Facts: XFS Algorithms & Data Structures, "Journaling Log";
// the kernel's Documentation/filesystems/xfs/xfs-delayed-logging-design.rst.
import type { Layout } from '../../bytes/struct.ts'

export const LOG_BLOCK_BYTES = 512
export const LOG_RECORD_MAGIC = 0xfeedbabe
/** Of data, for which one header block keeps the replaced words. */
export const LOG_BYTES_PER_HEADER = 32 * 1024
export const LOG_RECORD_BYTES_MAX = 256 * 1024
/** Eight records may be on their way to the disk at once, and arrive in any order. */
export const LOG_WINDOW_BLOCKS = (8 * LOG_RECORD_BYTES_MAX) / LOG_BLOCK_BYTES

export const LOG_RECORD = {
  magic: [0, 'u32be'],
  cycle: [4, 'u32be'],
  version: [8, 'u32be'],
  length: [12, 'u32be'],
  lsnCycle: [16, 'u32be'],
  lsnBlock: [20, 'u32be'],
  tailCycle: [24, 'u32be'],
  tailBlock: [28, 'u32be'],
  checksum: [32, 'u32le'],
  operationCount: [40, 'u32be'],
  format: [300, 'u32be'],
  uuid: [304, ['bytes', 16]],
  /** Largest record of the mount that wrote it; only version 2. */
  recordBytesMax: [320, 'u32be'],
} as const satisfies Layout
export const LOG_CHECKSUM_OFFSET = 32
/** Of the header structure, as machines that align it to 8 and to 4 bytes compute the checksum. */
export const LOG_HEADER_BYTES = [328, 324] as const
/** Of the further header blocks of a record above 32 KiB. */
export const LOG_FURTHER_HEADER_BYTES = 260
export const LOG_REPLACED_WORDS_OFFSET = 44

/** A record consists of operations: this header, then `length` bytes. */
export const LOG_OPERATION = {
  transaction: [0, 'u32be'],
  length: [4, 'u32be'],
  client: [8, 'u8'],
  flags: [9, 'u8'],
} as const satisfies Layout
export const LOG_OPERATION_BYTES = 12
export const LOG_UNMOUNT_FLAG = 0x20
