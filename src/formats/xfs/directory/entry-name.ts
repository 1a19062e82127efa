import { FormatError, type StructurePlace } from '../../format-error.ts'

const DOT = 0x2e
const SLASH = 0x2f

/** `.` and `..` say nothing that the tree does not say. */
export function isDotName(name: Uint8Array): boolean {
  return name.byteLength <= 2 && name.every((byte) => byte === DOT)
}

/** Throws FormatError for what no file can be called: nobody may make a path of it. */
export function requireEntryName(name: Uint8Array, place: StructurePlace): void {
  if (name.byteLength === 0) throw new FormatError(place, 'it has an entry without a name')
  if (name.includes(0) || name.includes(SLASH)) {
    throw new FormatError(place, 'it has an entry whose name has a slash or a zero')
  }
}
