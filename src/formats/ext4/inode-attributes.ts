import { isSameBytes } from '../../bytes/same-bytes.ts'
import { FormatError } from '../format-error.ts'
import { parseAttributeEntries, type AttributeEntry } from './attribute-entries.ts'
import type { Ext4Inode } from './inode.ts'

export const ATTRIBUTE_MAGIC = 0xea020000
const HEADER_SIZE = 4

/** The attributes behind the fields of an inode; none when the room is not used. */
export function inodeAttributes(inode: Ext4Inode): readonly AttributeEntry[] {
  const bytes = inode.attributeBytes
  if (bytes.byteLength < HEADER_SIZE) return []
  const magic = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
  // The kernel, too, takes anything else for room that nobody uses.
  if (magic !== ATTRIBUTE_MAGIC) return []
  const place = {
    structure: `attributes in ext4 inode ${inode.number}`,
    offsetBytes: inode.attributesOffsetBytes,
  }
  return parseAttributeEntries(bytes, { entriesStart: HEADER_SIZE, valueBase: HEADER_SIZE }, place)
}

/** The value of one of them, null when there is none of that name. */
export function findInodeAttribute(
  inode: Ext4Inode,
  wanted: { readonly space: number; readonly name: Uint8Array },
): Uint8Array | null {
  const entry = inodeAttributes(inode).find(
    ({ space, name }) => space === wanted.space && isSameBytes(name, wanted.name),
  )
  if (entry === undefined) return null
  if (entry.valueInode === 0) return entry.value
  throw new FormatError(inode.place, `its inline data lies in inode ${entry.valueInode}`)
}
