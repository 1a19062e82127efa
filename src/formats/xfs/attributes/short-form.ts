// Attributes within the inode, big endian, nothing aligned. Known from "XFS Algorithms & Data Structures", "Short
// Form Attributes":
//
//   total size (2), count (1), padding (1) │ name length (1), value length (1), flags (1), name, value
import { FormatError, type StructurePlace } from '../../format-error.ts'
import type { RawAttribute } from './raw-attribute.ts'

const HEADER_BYTES = 4
const ENTRY_HEADER_BYTES = 3

/** `bytes` is the whole fork. */
export function parseShortForm(bytes: Uint8Array, place: StructurePlace): readonly RawAttribute[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < HEADER_BYTES) throw new FormatError(place, `it has ${bytes.byteLength} bytes`)
  const sizeBytes = view.getUint16(0)
  if (sizeBytes > bytes.byteLength) {
    throw new FormatError(place, `size is ${sizeBytes}, and the fork has ${bytes.byteLength} bytes`)
  }
  const count = view.getUint8(2)
  const requireRoom = (end: number): void => {
    if (end > sizeBytes) throw new FormatError(place, `it ends at byte ${sizeBytes}, within an attribute`)
  }
  const attributes: RawAttribute[] = []
  let offset = HEADER_BYTES
  for (let index = 0; index < count; index += 1) {
    requireRoom(offset + ENTRY_HEADER_BYTES)
    const nameOffset = offset + ENTRY_HEADER_BYTES
    const valueOffset = nameOffset + view.getUint8(offset)
    const flags = view.getUint8(offset + 2)
    offset = valueOffset + view.getUint8(offset + 1)
    requireRoom(offset)
    const name = bytes.slice(nameOffset, valueOffset)
    attributes.push({ flags, name, value: bytes.slice(valueOffset, offset) })
  }
  return attributes
}
