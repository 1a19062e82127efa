// The image of a set of files, version 1. docs/formats/file-set.md describes it to the byte.
//
//   chunk 0: header, index │ contents of bin 0 │ bin 0 │ contents of bin 1 │ bin 1 │ …
//
// Bins and contents may lie anywhere; the index says where.
import type { Layout } from '../../bytes/struct.ts'

/** The first 8 bytes of SHA-256("icecore file set v1"). */
export const FILE_SET_MAGIC = '17aa6ac48de78062'
export const FILE_SET_VERSION = 1

export const HEADER = {
  magic: [0x00, ['bytes', 8]],
  version: [0x08, 'u32le'],
  chunkSizeBytes: [0x0c, 'u32le'],
  imageSizeBytes: [0x10, 'u64le'],
  indexOffset: [0x18, 'u64le'],
  indexSizeBytes: [0x20, 'u32le'],
  indexChecksum: [0x24, 'u32le'],
  usedChunkCount: [0x28, 'u64le'],
  binCount: [0x30, 'u32le'],
  reserved: [0x34, 'u64le'],
  checksum: [0x3c, 'u32le'],
} as const satisfies Layout
export const HEADER_SIZE_BYTES = 0x40

export const BIN_HEADER = {
  entryCount: [0x00, 'u32le'],
  entriesSizeBytes: [0x04, 'u32le'],
  reserved: [0x08, 'u32le'],
  checksum: [0x0c, 'u32le'],
} as const satisfies Layout
export const BIN_HEADER_SIZE_BYTES = 0x10

export const CHUNK_SIZE_BYTES_MIN = 16 * 1024
export const CHUNK_SIZE_BYTES_MAX = 4 * 1024 * 1024
/** It is held in memory; a bin of two thousand files takes some eighty bytes of it. */
export const INDEX_SIZE_BYTES_MAX = 64 * 1024 * 1024
/** Of one bin: bounds what a decoded bin takes in memory. */
export const BIN_ENTRIES_MAX = 8192
/** A bin has one entry that is larger than this, or many that are not. */
export const BIN_SIZE_BYTES_MAX = 256 * 1024
/** With the longest path, name and link target that an entry can have. */
export const LONE_ENTRY_SIZE_BYTES_MAX = 512 * 1024
/** Of a path with its name; of a link's target. */
export const PATH_SIZE_BYTES_MAX = 64 * 1024
/** Extended attributes and data ranges that take more lie with the contents. */
export const INLINE_SIZE_BYTES_MAX = 1024
/** Of one file: what a reader takes into memory at once. */
export const ATTRIBUTES_SIZE_BYTES_MAX = 16 * 1024 * 1024
export const RANGES_SIZE_BYTES_MAX = 48 * 1024 * 1024
/** Of one file: 16 bytes of memory each. */
export const DATA_RANGES_MAX = 4 * 1024 * 1024
/** Of one bin's contents: what many small changes may tear it into. */
export const SEGMENTS_MAX = 65_536
