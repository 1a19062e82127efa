// Where the numbers of XFS's directories and attributes are: XFS Algorithms & Data Structures.
import { FieldList, someOf } from '../field-list.ts'
import { viewOf } from '../structure.ts'
import type { FieldFinder } from './xfs-fields.ts'

const CHECKED_MAGICS = new Set(['XDB3', 'XDD3'])
const BLOCK_MAGICS = new Set(['XDB3', 'XD2B'])
const FREE_TAG = 0xffff

export const directoryFields: FieldFinder = (bytes) => {
  const magic = String.fromCharCode(...bytes.subarray(0, 4))
  const isChecked = CHECKED_MAGICS.has(magic)
  const list = new FieldList('big')
  list.add(4, { magic: 0 })
  if (isChecked) list.add(8, { ownBlock: 8, owner: 40 })
  list.addRow('bestFree', { at: isChecked ? 48 : 4, width: 2, count: 6 })
  const view = viewOf(bytes)
  const isBlock = BLOCK_MAGICS.has(magic)
  let end = bytes.byteLength
  if (isBlock) {
    const tail = end - 8
    list.add(4, { leafCount: tail, leafStale: tail + 4 })
    end = tail - view.getUint32(tail) * 8
    list.addRow('leaf', { at: Math.max(0, end), width: 4, count: 8 })
  }
  const starts: number[] = []
  for (let at = isChecked ? 64 : 16; at + 16 <= end;) {
    starts.push(at)
    at += lengthAt(bytes, at, isChecked)
  }
  for (const index of someOf(starts.length)) {
    const at = starts[index] ?? 0
    if (view.getUint16(at) === FREE_TAG) {
      list.add(2, { freeTag: 0, freeBytes: 2 }, at)
      continue
    }
    list.add(8, { entryInode: 0 }, at)
    list.add(1, { entryNameLength: 8, entryName: 9 }, at)
    list.add(2, { entryTag: lengthAt(bytes, at, isChecked) - 2 }, at)
  }
  return list.all()
}

function lengthAt(bytes: Uint8Array, at: number, isChecked: boolean): number {
  const view = viewOf(bytes)
  if (view.getUint16(at) === FREE_TAG) return Math.max(8, view.getUint16(at + 2))
  return Math.ceil((9 + view.getUint8(at + 8) + (isChecked ? 1 : 0) + 2) / 8) * 8
}

const LEAF_HEADER = 80
const OLD_LEAF_HEADER = 32

export const attributeLeafFields: FieldFinder = (bytes) => {
  const view = viewOf(bytes)
  const isChecked = view.getUint16(8) === 0x3bee
  const list = new FieldList('big')
  list.add(4, { next: 0, before: 4 }).add(2, { magic: 8 })
  if (isChecked) list.add(8, { ownBlock: 16, owner: 48 })
  const header = isChecked ? 56 : 12
  list.add(2, { count: header, usedBytes: header + 2, firstUsed: header + 4 })
  const start = isChecked ? LEAF_HEADER : OLD_LEAF_HEADER
  for (const index of someOf(Math.min(view.getUint16(header), 40))) {
    const at = start + index * 8
    const name = view.getUint16(at + 4)
    list.add(2, { nameOffset: 4 }, at).add(1, { flags: 6 }, at)
    if ((view.getUint8(at + 6) & 1) !== 0) list.add(2, { valueBytes: name }).add(1, { nameBytes: name + 2 })
    else list.add(4, { valueBlock: name, remoteBytes: name + 4 }).add(1, { nameBytes: name + 8 })
  }
  return list.all()
}

export const hashNodeFields: FieldFinder = (bytes) => {
  const isChecked = viewOf(bytes).getUint16(8) === 0x3ebe
  const list = new FieldList('big')
  list.add(4, { next: 0, before: 4 }).add(2, { magic: 8 })
  if (isChecked) list.add(8, { ownBlock: 16, owner: 48 })
  const header = isChecked ? 56 : 12
  list.add(2, { count: header, level: header + 2 })
  return list.addRow('entry', { at: header + (isChecked ? 8 : 4), width: 4, count: 16 }).all()
}
