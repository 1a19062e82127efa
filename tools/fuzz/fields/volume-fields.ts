// Where the numbers of tables, volume groups, pools and stores are; each format's folder names its documents.
import { NODE, SUPERBLOCK } from '../../../src/formats/dm-thin/layout.ts'
import { STORE_HEADER } from '../../../src/formats/dm-snapshot/layout.ts'
import * as fileSet from '../../../src/formats/file-set/layout.ts'
import * as lvm2 from '../../../src/formats/lvm2/layout.ts'
import { FieldList, someOf } from '../field-list.ts'
import { viewOf, type Field } from '../structure.ts'

export function gptHeaderFields(): readonly Field[] {
  const list = new FieldList('little')
  list.add(4, { revision: 8, headerBytes: 12, checksum: 16, entryCount: 80, entryBytes: 84 })
  return list.add(8, { signature: 0, own: 24, other: 32, first: 40, last: 48, entries: 72 }).all()
}

export function gptEntryFields(bytes: Uint8Array): readonly Field[] {
  const list = new FieldList('little')
  for (const index of someOf(Math.floor(bytes.byteLength / 128))) {
    list.add(8, { type: 0, first: 32, last: 40, flags: 48 }, index * 128)
  }
  return list.all()
}

/** Four entries, `start` bytes into a sector. */
export function mbrFields(start: number): readonly Field[] {
  const list = new FieldList('little')
  for (let index = 0; index < 4; index += 1) {
    list.add(1, { flag: 0, type: 4 }, start + index * 16).add(4, { first: 8, count: 12 }, start + index * 16)
  }
  if (start > 0) list.add(2, { signature: 510 })
  return list.all()
}

export function storeHeaderFields(): readonly Field[] {
  return new FieldList('little').addLayout(STORE_HEADER).all()
}

/** Also a few behind the last exception, which end the list. */
export function storeAreaFields(bytes: Uint8Array): readonly Field[] {
  const view = viewOf(bytes)
  let count = 0
  while (count * 16 < bytes.byteLength && view.getBigUint64(count * 16 + 8, true) !== 0n) count += 1
  const list = new FieldList('little')
  for (const index of someOf(Math.min(count + 2, bytes.byteLength / 16))) {
    list.add(8, { originChunk: 0, storeChunk: 8 }, index * 16)
  }
  return list.all()
}

export function thinFields(kind: string): (bytes: Uint8Array) => readonly Field[] {
  return (bytes) => {
    const list = new FieldList('little')
    if (kind === 'superblock') return list.addLayout(SUPERBLOCK).all()
    if (kind !== 'node') return []
    const view = viewOf(bytes)
    const [count, max] = [view.getUint32(NODE.entryCount, true), view.getUint32(NODE.entryCountMax, true)]
    const valueBytes = view.getUint32(NODE.valueBytes, true)
    list.add(4, { flags: NODE.flags, entryCount: NODE.entryCount })
    list.add(4, { entryCountMax: NODE.entryCountMax, valueBytes: NODE.valueBytes })
    list.add(8, { blockNumber: NODE.blockNumber })
    list.addRow('key', { at: NODE.keys, width: 8, count })
    const values = NODE.keys + max * 8
    for (const index of someOf(count)) {
      for (let at = 0; at + 8 <= valueBytes; at += 8) list.add(8, { value: values + index * valueBytes + at })
    }
    return list.all()
  }
}

export function lvmLabelFields(): readonly Field[] {
  const list = new FieldList('little')
  const start = lvm2.LABEL_HEADER_BYTES
  list.addLayout(lvm2.LABEL_HEADER).addLayout(lvm2.PHYSICAL_VOLUME_HEADER, start)
  // One data area and one metadata area, each list of them with its end, as the images here have them.
  const lists = start + lvm2.PHYSICAL_VOLUME_HEADER_BYTES
  for (const at of [lists, lists + 32]) {
    list.addRow('area', { at, width: 8, count: 2 }).addRow('listEnd', { at: at + 16, width: 8, count: 2 })
  }
  return list.addLayout(lvm2.EXTENSION_HEADER, lists + 64).all()
}

export function lvmHeaderFields(): readonly Field[] {
  const list = new FieldList('little').addLayout(lvm2.METADATA_HEADER)
  for (const start of [lvm2.COMMITTED_SLOT_OFFSET, lvm2.PRECOMMITTED_SLOT_OFFSET]) {
    list.addLayout(lvm2.TEXT_LOCATION, start)
  }
  return list.all()
}

export function fileSetHeaderFields(): readonly Field[] {
  return new FieldList('little').addLayout(fileSet.HEADER).all()
}

/** All that follows in a bin are varints. */
export function binFields(): readonly Field[] {
  return new FieldList('little').addLayout(fileSet.BIN_HEADER).all()
}
