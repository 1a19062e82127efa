// Where the numbers of ext2, ext3 and ext4 are: the kernel's "ext4 Data Structures and Algorithms".
import { EXTRA, INODE, InodeFlag } from '../../../src/formats/ext4/inode-layout.ts'
import { SUPERBLOCK } from '../../../src/formats/ext4/superblock-layout.ts'
import { FieldList, someOf } from '../field-list.ts'
import { viewOf, type Field } from '../structure.ts'

const EXTENT_BYTES = 12
const BLOCK_MAP_BYTES = 60
const ATTRIBUTE_MAGIC = 0xea020000
const ATTRIBUTE_ENTRY_BYTES = 16
const ATTRIBUTES_MAX = 20

export function superblockFields(): readonly Field[] {
  return new FieldList('little').addLayout(SUPERBLOCK).all()
}

export function descriptorFields(bytes: Uint8Array): readonly Field[] {
  const list = new FieldList('little')
  list.add(4, { blockBitmap: 0, inodeBitmap: 4, inodeTable: 8 })
  list.add(2, { freeBlocks: 0xc, freeInodes: 0xe, flags: 0x12, unusedInodes: 0x1c })
  if (bytes.byteLength >= 64) {
    list.add(4, { blockBitmapHigh: 0x20, inodeBitmapHigh: 0x24, inodeTableHigh: 0x28 })
  }
  return list.all()
}

/** What begins with the header of an extent tree's node, in an inode or in a block. */
export function extentFields(bytes: Uint8Array, start = 0, length = bytes.byteLength): readonly Field[] {
  const list = new FieldList('little')
  list.add(2, { extentMagic: 0, extentCount: 2, extentMax: 4, extentDepth: 6 }, start)
  const view = viewOf(bytes)
  const room = Math.floor((length - EXTENT_BYTES) / EXTENT_BYTES)
  const isLeaf = view.getUint16(start + 6, true) === 0
  for (const index of someOf(Math.min(view.getUint16(start + 2, true), room))) {
    const at = start + EXTENT_BYTES + index * EXTENT_BYTES
    list.add(4, { extentLogical: 0 }, at)
    if (isLeaf) list.add(2, { extentLength: 4, extentStartHigh: 6 }, at).add(4, { extentStart: 8 }, at)
    else list.add(4, { childLow: 4 }, at).add(2, { childHigh: 8 }, at)
  }
  return list.all()
}

export function inodeFields(bytes: Uint8Array): readonly Field[] {
  const list = new FieldList('little')
  list.add(2, { mode: INODE.mode, linkCount: INODE.linkCount, attributeBlockHigh: INODE.attributeBlockHigh })
  list.add(4, {
    sizeLow: INODE.sizeLow,
    sizeHigh: INODE.sizeHigh,
    flags: INODE.flags,
    deleted: INODE.deleted,
    generation: INODE.generation,
    attributeBlock: INODE.attributeBlockLow,
  })
  const flags = viewOf(bytes).getUint32(INODE.flags, true)
  if ((flags & InodeFlag.InlineData) !== 0) list.add(4, { inlineBytes: INODE.blockMap })
  else if ((flags & InodeFlag.Extents) !== 0)
    list.fields.push(...extentFields(bytes, INODE.blockMap, BLOCK_MAP_BYTES))
  else {
    list.add(4, { direct: INODE.blockMap, lastDirect: INODE.blockMap + 44 })
    list.add(4, { single: INODE.blockMap + 48, double: INODE.blockMap + 52, triple: INODE.blockMap + 56 })
  }
  if (bytes.byteLength > 128) {
    list.add(2, { extraSize: EXTRA.size }).add(4, { changedExtra: EXTRA.changed, bornExtra: EXTRA.bornExtra })
    const start = 128 + viewOf(bytes).getUint16(EXTRA.size, true)
    if (start + 4 <= bytes.byteLength && viewOf(bytes).getUint32(start, true) === ATTRIBUTE_MAGIC) {
      list.add(4, { attributeMagic: start })
      attributeEntries(list, bytes, start + 4)
    }
  }
  return list.all()
}

export function attributeBlockFields(bytes: Uint8Array): readonly Field[] {
  const list = new FieldList('little')
  list.add(4, { magic: 0, references: 4, blockCount: 8, hash: 12 })
  attributeEntries(list, bytes, 32)
  return list.all()
}

function attributeEntries(list: FieldList, bytes: Uint8Array, start: number): void {
  const view = viewOf(bytes)
  let at = start
  for (let index = 0; index < ATTRIBUTES_MAX; index += 1) {
    if (at + ATTRIBUTE_ENTRY_BYTES > bytes.byteLength || view.getUint32(at, true) === 0) break
    list.add(1, { nameLength: 0, nameIndex: 1 }, at).add(2, { valueOffset: 2 }, at)
    list.add(4, { valueInode: 4, valueSize: 8, valueHash: 12 }, at)
    at += ATTRIBUTE_ENTRY_BYTES + Math.ceil(view.getUint8(at) / 4) * 4
  }
  // Where the list ends.
  if (at + 4 <= bytes.byteLength) list.add(4, { listEnd: at })
}

/** The entries of a directory's block, and what is in it where it is a node of hashes, which looks like one entry. */
export function directoryFields(bytes: Uint8Array): readonly Field[] {
  const list = new FieldList('little')
  const view = viewOf(bytes)
  const starts: number[] = []
  for (let at = 0; at + 8 <= bytes.byteLength;) {
    const length = view.getUint16(at + 4, true)
    if (length < 8 || length % 4 !== 0) break
    starts.push(at)
    at += length
  }
  for (const index of someOf(starts.length)) {
    const at = starts[index] ?? 0
    list.add(4, { entryInode: 0 }, at).add(2, { entryLength: 4 }, at)
    list.add(1, { entryNameLength: 6, entryKind: 7 }, at)
    list.add(1, { entryName: 8, entryNameSecond: 9 }, at)
  }
  const isNode = starts.length === 1
  const isRoot = starts.length === 2 && view.getUint16(4, true) === 12
  if (isNode || isRoot) {
    const table = isRoot ? 32 : 8
    if (isRoot) list.add(1, { hashVersion: 28, infoLength: 29, indirectLevels: 30 })
    list.add(2, { hashLimit: table, hashCount: table + 2 })
    list.addRow('hashBlock', { at: table + 4, width: 4, count: 8 })
  }
  return list.all()
}
