// Fields, offsets and flags as in the kernel's "ext4 Data Structures and Algorithms", section "Index Nodes".

/** The part that every inode has. */
export const INODE_SIZE = 128
export const BLOCK_MAP_SIZE = 60

/** Offsets of fields. Not a table for readStruct(): a walk of a million files reads a million of these. */
export const INODE = {
  mode: 0x0,
  userIdLow: 0x2,
  sizeLow: 0x4,
  accessed: 0x8,
  changed: 0xc,
  modified: 0x10,
  deleted: 0x14,
  groupIdLow: 0x18,
  linkCount: 0x1a,
  sectorCountLow: 0x1c,
  flags: 0x20,
  blockMap: 0x28,
  generation: 0x64,
  attributeBlockLow: 0x68,
  sizeHigh: 0x6c,
  sectorCountHigh: 0x74,
  attributeBlockHigh: 0x76,
  userIdHigh: 0x78,
  groupIdHigh: 0x7a,
  checksumLow: 0x7c,
} as const

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
