// The encoding of extent maps, version 1. Normative text: docs/formats/extent-map.md
//
//     header │ block │ block │ … │ end block
//
import type { VarintTag } from '../bytes/varint.ts'
import type { Layout } from '../bytes/struct.ts'

/** First 8 bytes of SHA-256("icecore extent map v1"). Never change it; add a v2 beside it. */
export const EXTENT_MAP_MAGIC: Uint8Array = Uint8Array.fromHex('1ff361f855aa0412')
export const EXTENT_MAP_VERSION = 1

export const HEADER_SIZE_BYTES = 32
export const HEADER = {
  magic: [0x00, ['bytes', 8]],
  version: [0x08, 'u32le'],
  deviceCount: [0x0c, 'u32le'],
  sizeBytes: [0x10, 'u64le'],
  reserved: [0x18, 'u32le'],
  checksum: [0x1c, 'u32le'], // CRC-32C of 0x00 … 0x1b
} as const satisfies Layout

export const BLOCK_SIZE_BYTES = 24
export const BLOCK = {
  offset: [0x00, 'u64le'],
  entryCount: [0x08, 'u32le'], // 0: the end block
  entriesSizeBytes: [0x0c, 'u32le'],
  unitShift: [0x10, 'u8'],
  reserved: [0x11, ['bytes', 3]],
  checksum: [0x14, 'u32le'], // CRC-32C of 0x00 … 0x13 and of the entries
} as const satisfies Layout

/** The tag of the varint that an entry begins with. */
export const ENTRY_TAG_BITS = 3
export const GAP: VarintTag = { bits: ENTRY_TAG_BITS, value: 0 }
export const ZERO: VarintTag = { bits: ENTRY_TAG_BITS, value: 1 }
export const DATA: VarintTag = { bits: ENTRY_TAG_BITS, value: 2 }
export const DATA_ON: VarintTag = { bits: ENTRY_TAG_BITS, value: 3 }
export const INLINE: VarintTag = { bits: ENTRY_TAG_BITS, value: 4 }

/** A block is held in memory on both sides. */
export const BLOCK_ENTRIES_MAX = 8192
/** A block ends after the entry with which its inline bytes reach this. */
export const BLOCK_INLINE_SIZE_BYTES = 64 * 2 ** 10
/** File systems keep a few KiB inline; the longest is one block of the largest block size. */
export const INLINE_SIZE_BYTES_MAX = 2 ** 20
/** More than what the limits above can add up to: 8192 entries of at most 24 bytes, and the inline bytes. */
export const BLOCK_ENTRIES_SIZE_BYTES_MAX = 2 * 2 ** 20
/** Units are at most 1 GiB. */
export const UNIT_SHIFT_MAX = 30
/** 16 TiB in pieces of 1 MiB are 17 million extents; far more than that is damage or an attack. */
export const ENCODED_ENTRIES_MAX = 40_000_000
/** Devices under one image: the physical volumes of a large volume group are a few hundred. */
export const ENCODED_DEVICES_MAX = 65_536
