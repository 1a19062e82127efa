// A block of directory entries, big endian, everything aligned to 8 bytes. Known from "XFS Algorithms & Data
// Structures", "Block Directories" and "Leaf Directories":
//
//   header (16 bytes; 64 in version 5) │ entries and gaps │ in a directory of one block: hashes, then their count (8)
//   entry: inode (8), name length (1), name, kind (1, if directories keep it), padding, own offset (2)
//   gap:   0xffff (2), length (2), padding, own offset (2)
import type { DirectoryEntry } from '../../file-system.ts'
import { FormatError, type StructurePlace } from '../../format-error.ts'
import { hex } from '../../hex.ts'
import { DIRECTORY_BLOCK, requireSelfDescription, type BlockIdentity } from '../self-description.ts'
import { isDotName, requireEntryName } from './entry-name.ts'
import { mayBeDirectory, type DirectoryOptions } from './short-form.ts'

export type DataBlockOptions = DirectoryOptions & {
  /** Null before version 5. */
  readonly identity: BlockIdentity | null
  /** Only the first block can be the only one, which has the hashes too. */
  readonly isFirst: boolean
}

const MAGIC = {
  4: { only: 0x58443242, oneOfMany: 0x58443244 },
  5: { only: 0x58444233, oneOfMany: 0x58444433 },
}
const HEADER_BYTES = { 4: 16, 5: 64 }
const ALIGNMENT_BYTES = 8
const GAP_MAGIC = 0xffff
/** Behind the entries of a directory of one block: how many hashes lie before this, and how many of them are old. */
const TAIL_BYTES = 8
const HASH_BYTES = 8
const ENTRY_HEADER_BYTES = 9
const TAG_BYTES = 2

/** The entries without `.` and `..`. */
export function parseDataBlock(
  bytes: Uint8Array,
  place: StructurePlace,
  options: DataBlockOptions,
): readonly DirectoryEntry[] {
  const { identity } = options
  const version = identity === null ? 4 : 5
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint32(0)
  const isOnly = options.isFirst && magic === MAGIC[version].only
  if (!isOnly && magic !== MAGIC[version].oneOfMany) {
    throw new FormatError(place, `magic is ${hex(magic)}, expected ${hex(MAGIC[version].oneOfMany)}`)
  }
  if (identity !== null) requireSelfDescription(bytes, place, { ...identity, fields: DIRECTORY_BLOCK })
  const end = isOnly ? endOfEntries(view, place, version) : bytes.byteLength
  return entriesOf(bytes.subarray(0, end), place, { ...options, offset: HEADER_BYTES[version] })
}

function endOfEntries(view: DataView, place: StructurePlace, version: 4 | 5): number {
  const hashCount = view.getUint32(view.byteLength - TAIL_BYTES)
  const end = view.byteLength - TAIL_BYTES - hashCount * HASH_BYTES
  if (end >= HEADER_BYTES[version]) return end
  throw new FormatError(place, `it has ${hashCount} hashes, more than it can hold`)
}

function entriesOf(
  bytes: Uint8Array,
  place: StructurePlace,
  options: DirectoryOptions & { readonly offset: number },
): readonly DirectoryEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: DirectoryEntry[] = []
  let { offset } = options
  while (offset < bytes.byteLength) {
    const isGap = view.getUint16(offset) === GAP_MAGIC
    const length = isGap ? view.getUint16(offset + 2) : lengthOfEntry(view, offset, options)
    requireWhole(view, place, { offset, length })
    if (!isGap) {
      const nameOffset = offset + ENTRY_HEADER_BYTES
      const name = bytes.slice(nameOffset, nameOffset + view.getUint8(nameOffset - 1))
      requireEntryName(name, place)
      const inodeNumber = Number(view.getBigUint64(offset))
      const kind = options.hasFileType
        ? { mayBeDirectory: mayBeDirectory(view.getUint8(nameOffset + name.byteLength)) }
        : {}
      if (!isDotName(name)) entries.push({ name, inodeNumber, ...kind })
    }
    offset += length
  }
  return entries
}

/** 0 when not even its name's length is there. */
function lengthOfEntry(view: DataView, offset: number, { hasFileType }: DirectoryOptions): number {
  if (offset + ENTRY_HEADER_BYTES > view.byteLength) return 0
  const nameBytes = view.getUint8(offset + ENTRY_HEADER_BYTES - 1)
  const length = ENTRY_HEADER_BYTES + nameBytes + (hasFileType ? 1 : 0) + TAG_BYTES
  return Math.ceil(length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
}

/** Each entry and each gap ends with its own offset. */
function requireWhole(
  view: DataView,
  place: StructurePlace,
  { offset, length }: { readonly offset: number; readonly length: number },
): void {
  if (length === 0 || length % ALIGNMENT_BYTES !== 0 || offset + length > view.byteLength) {
    throw new FormatError(
      place,
      `the entry at ${offset} has ${length} bytes, and ${view.byteLength - offset} are left`,
    )
  }
  const tag = view.getUint16(offset + length - TAG_BYTES)
  if (tag !== offset) throw new FormatError(place, `the entry at ${offset} says that it is at ${tag}`)
}
