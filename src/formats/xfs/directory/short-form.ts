// A directory within its inode, big endian, nothing aligned. Known from "XFS Algorithms & Data Structures",
// "Short Form Directories":
//
//   count (1), count of large numbers (1), parent (4 or 8) │ entries:
//   name length (1), offset (2), name, kind (1, if directories keep it), inode (4 or 8)
//
// All inode numbers have 8 bytes when one of them needs them.
import type { DirectoryEntry } from '../../file-system.ts'
import { FormatError, type StructurePlace } from '../../format-error.ts'
import { requireEntryName } from './entry-name.ts'

const HEADER_BYTES = 2
const ENTRY_HEADER_BYTES = 3

export type DirectoryOptions = {
  /** Each entry says of what kind its file is. */
  readonly hasFileType: boolean
}

const TYPE_UNKNOWN = 0
const TYPE_DIRECTORY = 2

/** By the kind that an entry names. */
export function mayBeDirectory(type: number): boolean {
  return type === TYPE_DIRECTORY || type === TYPE_UNKNOWN
}

/** `bytes` is all that the directory has, as its size says. */
export function parseShortForm(
  bytes: Uint8Array,
  place: StructurePlace,
  { hasFileType }: DirectoryOptions,
): readonly DirectoryEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const requireRoom = (end: number): void => {
    if (end > bytes.byteLength)
      throw new FormatError(place, `it ends at byte ${bytes.byteLength}, within an entry`)
  }
  requireRoom(HEADER_BYTES)
  const count = view.getUint8(0)
  const numberBytes = view.getUint8(1) === 0 ? 4 : 8
  const entries: DirectoryEntry[] = []
  let offset = HEADER_BYTES + numberBytes
  for (let index = 0; index < count; index += 1) {
    requireRoom(offset + ENTRY_HEADER_BYTES)
    const nameOffset = offset + ENTRY_HEADER_BYTES
    const nameEnd = nameOffset + view.getUint8(offset)
    const numberOffset = nameEnd + (hasFileType ? 1 : 0)
    offset = numberOffset + numberBytes
    requireRoom(offset)
    const name = bytes.slice(nameOffset, nameEnd)
    requireEntryName(name, place)
    const inodeNumber =
      numberBytes === 4 ? view.getUint32(numberOffset) : Number(view.getBigUint64(numberOffset))
    const kind = hasFileType ? { mayBeDirectory: mayBeDirectory(view.getUint8(nameEnd)) } : {}
    entries.push({ name, inodeNumber, ...kind })
  }
  if (offset !== bytes.byteLength) {
    throw new FormatError(place, `its ${count} entries end at byte ${offset}, expected ${bytes.byteLength}`)
  }
  return entries
}
