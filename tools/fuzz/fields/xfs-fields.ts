// Where the numbers of XFS's headers and trees are: XFS Algorithms & Data Structures.
import { AGF, AGFL, AGI } from '../../../src/formats/xfs/ag-header-layout.ts'
import { SUPERBLOCK } from '../../../src/formats/xfs/superblock-layout.ts'
import { FieldList, someOf } from '../field-list.ts'
import { viewOf, type Field } from '../structure.ts'

export type FieldFinder = (bytes: Uint8Array) => readonly Field[]

export const superblockFields: FieldFinder = () => new FieldList('big').addLayout(SUPERBLOCK).all()
export const agfFields: FieldFinder = () => new FieldList('big').addLayout(AGF).all()
export const agiFields: FieldFinder = () => new FieldList('big').addLayout(AGI).all()
export const agflFields: FieldFinder = () =>
  new FieldList('big').addLayout(AGFL).addRow('block', { at: 36, width: 4, count: 110 }).all()

/** Blocks of trees within an AG: 4-byte records, keys and pointers. */
export const shortTreeFields: FieldFinder = (bytes) => {
  const isChecked = bytes[3] === 0x33 || bytes[2] === 0x33
  const list = new FieldList('big')
  list.add(2, { level: 4, count: 6 }).add(4, { magic: 0, left: 8, right: 12 })
  if (isChecked) list.add(8, { ownBlock: 16 }).add(4, { owner: 48 })
  const start = isChecked ? 56 : 16
  const count = viewOf(bytes).getUint16(6) * 2
  return list.addRow('record', { at: start, width: 4, count: Math.max(count, 2) }).all()
}

/** Blocks of a file's tree of extents: 8-byte halves of records, keys and pointers. */
export const extentTreeFields: FieldFinder = (bytes) => {
  const isChecked = bytes[3] === 0x33
  const list = new FieldList('big')
  list.add(2, { level: 4, count: 6 }).add(4, { magic: 0 }).add(8, { left: 8, right: 16 })
  if (isChecked) list.add(8, { ownBlock: 24, owner: 56 })
  const start = isChecked ? 72 : 24
  const view = viewOf(bytes)
  const [level, count] = [view.getUint16(4), view.getUint16(6)]
  if (level === 0) return extents(list, start, count).all()
  const max = Math.floor((bytes.byteLength - start) / 16)
  list.addRow('key', { at: start, width: 8, count })
  return list.addRow('child', { at: start + max * 8, width: 8, count }).all()
}

const INODE_CORE = {
  one: { version: 4, format: 5, attributeFormat: 83, forkOffset: 82 },
  two: { magic: 0, mode: 2, attributeExtents: 80, flags: 90 },
  four: { linkCount: 16, extents: 76, generation: 92 },
  eight: { bigExtents: 24, size: 56, blocks: 64 },
} as const
const FORMAT_LOCAL = 1
const FORMAT_EXTENTS = 2
const FORMAT_TREE = 3
const DIRECTORY = 0x4000

export const inodeFields: FieldFinder = (bytes) => {
  const view = viewOf(bytes)
  const list = new FieldList('big')
  list.add(1, INODE_CORE.one).add(2, INODE_CORE.two).add(4, INODE_CORE.four).add(8, INODE_CORE.eight)
  const isChecked = bytes[4] === 3
  if (isChecked) list.add(8, { flags2: 120, born: 144, number: 152 })
  const start = isChecked ? 176 : 100
  const split = (bytes[82] ?? 0) * 8
  const end = split === 0 ? bytes.byteLength : start + split
  const isDirectory = (view.getUint16(2) & 0xf000) === DIRECTORY
  if (bytes[5] === FORMAT_LOCAL && isDirectory) shortDirectory(list, bytes, { start, end })
  else fork(list, bytes, { start, end, format: bytes[5] ?? 0 })
  if (split === 0 || end >= bytes.byteLength) return list.all()
  if (bytes[83] === FORMAT_LOCAL) shortAttributes(list, bytes, { start: end, end: bytes.byteLength })
  else fork(list, bytes, { start: end, end: bytes.byteLength, format: bytes[83] ?? 0 })
  return list.all()
}

/** Packed ones: the upper half begins with where in the file each lies. */
function extents(list: FieldList, start: number, count: number): FieldList {
  for (const index of someOf(count)) list.add(8, { extentHigh: 0, extentLow: 8 }, start + index * 16)
  return list
}

type Span = { readonly start: number; readonly end: number }

function fork(list: FieldList, bytes: Uint8Array, { start, end, format }: Span & { format: number }): void {
  const room = Math.floor((end - start) / 8)
  if (format === FORMAT_EXTENTS) extents(list, start, Math.floor(Math.min(room, 12) / 2))
  if (format !== FORMAT_TREE) return
  list.add(2, { rootLevel: start, rootCount: start + 2 })
  const count = viewOf(bytes).getUint16(start + 2)
  list.addRow('rootKey', { at: start + 4, width: 8, count })
  const max = Math.floor((end - start - 4) / 16)
  list.addRow('rootChild', { at: start + 4 + max * 8, width: 8, count })
}

function shortDirectory(list: FieldList, bytes: Uint8Array, { start, end }: Span): void {
  list.add(1, { shortCount: start, shortWideCount: start + 1 }).add(4, { shortParent: start + 2 })
  const view = viewOf(bytes)
  // The kind of a file follows its name on all that are not of version 4.
  const tail = (bytes[4] === 3 ? 1 : 0) + 4
  let at = start + 6
  for (let index = 0; index < (bytes[start] ?? 0) && at + 3 < end; index += 1) {
    const length = view.getUint8(at)
    list.add(1, { shortNameLength: 0, shortName: 3 }, at).add(2, { shortTag: 1 }, at)
    list.add(4, { shortInode: 3 + length + tail - 4 }, at)
    at += 3 + length + tail
  }
}

function shortAttributes(list: FieldList, bytes: Uint8Array, { start, end }: Span): void {
  list.add(2, { shortSize: start }).add(1, { shortAttributeCount: start + 2 })
  let at = start + 4
  for (let index = 0; index < (bytes[start + 2] ?? 0) && at + 3 <= end; index += 1) {
    list.add(1, { shortNameBytes: 0, shortValueBytes: 1, shortFlags: 2 }, at)
    at += 3 + (bytes[at] ?? 0) + (bytes[at + 1] ?? 0)
  }
}

/** Headers of blocks that hold a part of a link's target or of an attribute's value. */
export const remoteFields: FieldFinder = () =>
  new FieldList('big')
    .add(4, { magic: 0, partOffset: 4, partBytes: 8 })
    .add(8, { owner: 32, ownBlock: 40 })
    .all()

const LOG_CYCLES = 20

/** A record's header, and the operations that follow it. */
export const logFields: FieldFinder = (bytes) => {
  const list = new FieldList('big')
  list.add(4, {
    magic: 0,
    cycle: 4,
    version: 8,
    bytes: 12,
    previous: 36,
    operations: 40,
    format: 300,
    headerBytes: 320,
  })
  list.add(4, { ownCycle: 16, ownBlock: 20, tailCycle: 24, tailBlock: 28 })
  list.addRow('cycleData', { at: 44, width: 4, count: LOG_CYCLES })
  if (bytes.byteLength < 540) return list.all()
  return list
    .add(4, { operationId: 512, operationBytes: 516 })
    .add(1, { client: 520, operationFlags: 521 })
    .all()
}
