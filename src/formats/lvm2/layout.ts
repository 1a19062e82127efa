// LVM2 on-disk structures, all little-endian. References: Red Hat "Logical Volume Manager Administration",
// appendix "LVM Volume Group Metadata"; "Logical Volume Manager (LVM) format" of the libvslvm project.
//
//   sector 0…3  label ─▶ physical volume header ─▶ data areas, metadata areas, extension
//                                                               │
//   metadata area  ┌────────┬──────────────────────────────┐ ◀──┘
//                  │ header │ text, a ring behind byte 512 │
//                  └────────┴──────────────────────────────┘
import type { Layout } from '../../bytes/struct.ts'

/** LVM counts in sectors of 512 bytes, whatever the device does. */
export const SECTOR_BYTES = 512
/** A label lies in one of the first four sectors. */
export const LABEL_SECTOR_COUNT = 4

export const LABEL_ID = 'LABELONE'
export const LABEL_TYPE = 'LVM2 001'
export const LABEL_HEADER = {
  id: [0x00, ['bytes', 8]],
  sector: [0x08, 'u64le'],
  /** Of the sector from `headerOffset` on. */
  checksum: [0x10, 'u32le'],
  headerOffset: [0x14, 'u32le'],
  type: [0x18, ['bytes', 8]],
} as const satisfies Layout
/** Where the checksum of a label begins to count. */
export const LABEL_CHECKED_OFFSET = 0x14
export const LABEL_HEADER_BYTES = 0x20

export const PHYSICAL_VOLUME_HEADER = {
  uuid: [0x00, ['bytes', 32]],
  deviceSizeBytes: [0x20, 'u64le'],
} as const satisfies Layout
export const PHYSICAL_VOLUME_HEADER_BYTES = 0x28

/** An item of the lists of areas; a list ends with an item whose offset is 0. */
export const AREA_LOCATION = { offset: [0x00, 'u64le'], size: [0x08, 'u64le'] } as const satisfies Layout
export const AREA_LOCATION_BYTES = 0x10

/** Behind the two lists of areas; a list of boot loader areas follows from version 2 on. */
export const EXTENSION_HEADER = { version: [0x00, 'u32le'], flags: [0x04, 'u32le'] } as const satisfies Layout
export const EXTENSION_HEADER_BYTES = 0x08
export const EXTENSION_USED_FLAG = 0x1

/** " LVM2 x[5A%r0N*>" */
export const METADATA_MAGIC = '204c564d3220785b35412572304e2a3e'
export const METADATA_HEADER = {
  /** Of the 512 bytes from `magic` on. */
  checksum: [0x00, 'u32le'],
  magic: [0x04, ['bytes', 16]],
  version: [0x14, 'u32le'],
  start: [0x18, 'u64le'],
  size: [0x20, 'u64le'],
} as const satisfies Layout
export const METADATA_HEADER_BYTES = 512
export const METADATA_CHECKED_OFFSET = 0x04
/** The two slots: what is committed, what is about to be. */
export const COMMITTED_SLOT_OFFSET = 0x28
export const PRECOMMITTED_SLOT_OFFSET = 0x40

export const TEXT_LOCATION = {
  /** From the start of the area. */
  offset: [0x00, 'u64le'],
  size: [0x08, 'u64le'],
  checksum: [0x10, 'u32le'],
  flags: [0x14, 'u32le'],
} as const satisfies Layout
/** The area is not used for now: what is in it may be of any age. */
export const TEXT_IGNORED_FLAG = 0x1
