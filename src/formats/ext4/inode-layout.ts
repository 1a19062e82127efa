// Fields, offsets and flags as in the kernel's "ext4 Data Structures and Algorithms", section "Index Nodes".
import type { Layout } from '../../bytes/struct.ts'

/** The part that every inode has. */
export const INODE_SIZE = 128
export const BLOCK_MAP_OFFSET = 40
export const BLOCK_MAP_SIZE = 60

export const INODE = {
  mode: [0x0, 'u16le'],
  userIdLow: [0x2, 'u16le'],
  sizeLow: [0x4, 'u32le'],
  accessed: [0x8, 'u32le'],
  changed: [0xc, 'u32le'],
  modified: [0x10, 'u32le'],
  deleted: [0x14, 'u32le'],
  groupIdLow: [0x18, 'u16le'],
  linkCount: [0x1a, 'u16le'],
  sectorCountLow: [0x1c, 'u32le'],
  flags: [0x20, 'u32le'],
  blockMap: [BLOCK_MAP_OFFSET, ['bytes', BLOCK_MAP_SIZE]],
  generation: [0x64, 'u32le'],
  attributeBlockLow: [0x68, 'u32le'],
  sizeHigh: [0x6c, 'u32le'],
  sectorCountHigh: [0x74, 'u16le'],
  attributeBlockHigh: [0x76, 'u16le'],
  userIdHigh: [0x78, 'u16le'],
  groupIdHigh: [0x7a, 'u16le'],
  checksumLow: [0x7c, 'u16le'],
} as const satisfies Layout

/** Fields beyond the 128 bytes, each there when the inode's extra size reaches its end. */
export const EXTRA = {
  size: 0x80,
  checksumHigh: 0x82,
  changed: 0x84,
  modified: 0x88,
  accessed: 0x8c,
  born: 0x90,
  bornExtra: 0x94,
} as const

export const InodeFlag = {
  Compressed: 0x4,
  Encrypted: 0x800,
  /** The directory has a hash tree. */
  Indexed: 0x1000,
  HugeFile: 0x40000,
  Extents: 0x80000,
  Verity: 0x100000,
  /** It holds the value of an extended attribute, and is nobody's file. */
  AttributeValue: 0x200000,
  InlineData: 0x10000000,
  Casefold: 0x40000000,
} as const

/** Bits 12 to 15 of the mode. */
export const FileType = {
  Fifo: 0x1000,
  CharacterDevice: 0x2000,
  Directory: 0x4000,
  BlockDevice: 0x6000,
  File: 0x8000,
  Symlink: 0xa000,
  Socket: 0xc000,
} as const
