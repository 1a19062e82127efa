import { DIRECTORY_ENTRY_SIZE } from '../pack-format.ts'

/** Where the fields after the id begin: in a segment the number of the pack comes before them. */
const AFTER_ID_IN_SEGMENT = 0x24
const AFTER_ID_IN_DIRECTORY = 0x20

/**
 * A number for one entry, to be added up (as 32-bit integers) over a pack: equal sums mean that an index and a
 * directory say the same, in whatever order. Both are authenticated; this finds mistakes and no attacks.
 */
export function segmentEntrySum(view: DataView, at: number): number {
  return entrySum(view, at, at + AFTER_ID_IN_SEGMENT)
}

/** The sum of a whole directory, and what it counts. */
export function directorySum(directory: Uint8Array): number {
  const view = new DataView(directory.buffer, directory.byteOffset, directory.byteLength)
  let sum = 0
  for (let at = 0; at < directory.byteLength; at += DIRECTORY_ENTRY_SIZE) {
    sum = (sum + entrySum(view, at, at + AFTER_ID_IN_DIRECTORY)) | 0
  }
  return sum
}

function entrySum(view: DataView, idAt: number, fieldsAt: number): number {
  const id = view.getInt32(idAt, true) ^ Math.imul(view.getInt32(idAt + 28, true), 0x85ebca6b)
  const place = Math.imul(view.getInt32(fieldsAt, true), 0x9e3779b1) ^ view.getInt32(fieldsAt + 4, true)
  const mixed = Math.imul(id ^ place ^ Math.imul(view.getInt32(fieldsAt + 8, true), 0xc2b2ae35), 0x27d4eb2f)
  return mixed ^ (mixed >>> 15)
}
