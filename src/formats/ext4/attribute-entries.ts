// The entries of attributes, in an inode or in a block of their own: the kernel's "ext4 Data Structures and
// Algorithms", section "Extended Attributes".
import { FormatError, type StructurePlace } from '../format-error.ts'

const ENTRY_SIZE = 16
const ALIGNMENT = 4

export type AttributeEntry = {
  /** Which namespace the name is in. */
  readonly space: number
  readonly name: Uint8Array
  readonly valueSizeBytes: number
  /** Of the name and the value; 0 when it was not made, as in inodes. */
  readonly hash: number
  /** The inode that holds the value; 0 when it lies in `value`. */
  readonly valueInode: number
  readonly value: Uint8Array
}

/**
 * The entries from `entriesStart` of `bytes` up to four zero bytes; values lie at offsets from `valueBase`. In both
 * places that ends within a block, so the count is bounded by its size.
 */
export function parseAttributeEntries(
  bytes: Uint8Array,
  { entriesStart, valueBase }: { readonly entriesStart: number; readonly valueBase: number },
  place: StructurePlace,
): readonly AttributeEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: AttributeEntry[] = []
  let offset = entriesStart
  for (;;) {
    // A table that fills its room to the last byte has no end mark.
    if (offset + 4 > bytes.byteLength || view.getUint32(offset, true) === 0) return entries
    const nameLength = view.getUint8(offset)
    const nameEnd = offset + ENTRY_SIZE + nameLength
    if (nameEnd > bytes.byteLength) {
      throw new FormatError(place, `attribute at byte ${offset} of it has a name of ${nameLength} bytes`)
    }
    const valueStart = valueBase + view.getUint16(offset + 2, true)
    const valueInode = view.getUint32(offset + 4, true)
    const valueSizeBytes = view.getUint32(offset + 8, true)
    if (valueInode === 0 && valueSizeBytes > 0 && valueStart + valueSizeBytes > bytes.byteLength) {
      throw new FormatError(
        place,
        `attribute at byte ${offset} of it has ${valueSizeBytes} bytes at byte ${valueStart} of ${bytes.byteLength}`,
      )
    }
    entries.push({
      space: view.getUint8(offset + 1),
      name: bytes.subarray(offset + ENTRY_SIZE, nameEnd),
      valueSizeBytes,
      hash: view.getUint32(offset + 12, true),
      valueInode,
      value:
        valueInode === 0 && valueSizeBytes > 0
          ? bytes.subarray(valueStart, valueStart + valueSizeBytes)
          : new Uint8Array(0),
    })
    offset = Math.ceil(nameEnd / ALIGNMENT) * ALIGNMENT
  }
}
