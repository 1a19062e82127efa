// One block of a directory, or the part of one that lies in an inode: the kernel's "ext4 Data Structures and
// Algorithms", section "Directory Entries".
import type { DirectoryEntry } from '../file-system.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'

const HEADER_SIZE = 8
const RECORD_SIZE_MIN = 12
const RECORD_ALIGNMENT = 4
const LARGE_BLOCK_SIZE = 65536
const SLASH = 0x2f
const DOT = 0x2e
const TYPE_UNKNOWN = 0
const TYPE_DIRECTORY = 2

export type DirectoryRules = {
  readonly inodeCount: number
  /** Encrypted names are any bytes. */
  readonly namesAreEncrypted: boolean
  /** Entries say of what kind their file is. */
  readonly hasFileTypes?: boolean
}

/** An entry that is there, but whose name no file can have. */
export type OddName = { readonly offset: number; readonly what: string }

/**
 * Appends the entries of `bytes` to `entries`, in order and without `.` and `..`. Nodes of a hash tree and checksums
 * look like entries that are not in use. Names that would be a path are left out, and returned.
 */
export function parseDirectoryBlock(
  bytes: Uint8Array,
  entries: DirectoryEntry[],
  { rules, place }: { readonly rules: DirectoryRules; readonly place: StructurePlace },
): readonly OddName[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const oddNames: OddName[] = []
  let offset = 0
  while (offset < bytes.byteLength) {
    const room = bytes.byteLength - offset
    const recordSize = room >= RECORD_SIZE_MIN ? recordSizeAt(view, offset) : 0
    if (recordSize < RECORD_SIZE_MIN || recordSize % RECORD_ALIGNMENT !== 0 || recordSize > room) {
      throw new FormatError(place, `entry at byte ${offset} of it has ${recordSize} bytes of ${room}`)
    }
    const inodeNumber = view.getUint32(offset, true)
    if (inodeNumber !== 0) {
      const nameLength = view.getUint8(offset + 6)
      if (HEADER_SIZE + nameLength > recordSize) {
        throw new FormatError(place, `entry at byte ${offset} of it has a name of ${nameLength} bytes`)
      }
      if (inodeNumber > rules.inodeCount) {
        throw new FormatError(place, `entry at byte ${offset} of it has inode ${inodeNumber}`)
      }
      const start = offset + HEADER_SIZE
      const name = bytes.subarray(start, start + nameLength)
      const what = isDots(name) ? null : whatIsOdd(name, rules)
      if (what !== null) oddNames.push({ offset, what })
      else if (!isDots(name)) entries.push(entryOf(name.slice(), inodeNumber, { view, offset, rules }))
    }
    offset += recordSize
  }
  return oddNames
}

function entryOf(
  name: Uint8Array,
  inodeNumber: number,
  at: { readonly view: DataView; readonly offset: number; readonly rules: DirectoryRules },
): DirectoryEntry {
  if (at.rules.hasFileTypes !== true) return { name, inodeNumber }
  const type = at.view.getUint8(at.offset + 7)
  return { name, inodeNumber, mayBeDirectory: type === TYPE_DIRECTORY || type === TYPE_UNKNOWN }
}

/** In blocks of 64 KiB, 16 bits do not hold the size of a record that fills one. */
function recordSizeAt(view: DataView, offset: number): number {
  const size = view.getUint16(offset + 4, true)
  if (view.byteLength < LARGE_BLOCK_SIZE) return size
  if (size === 0 || size === LARGE_BLOCK_SIZE - 1) return view.byteLength
  return size
}

function isDots(name: Uint8Array): boolean {
  return name[0] === DOT && (name.byteLength === 1 || (name.byteLength === 2 && name[1] === DOT))
}

function whatIsOdd(name: Uint8Array, rules: DirectoryRules): string | null {
  if (name.byteLength === 0) return 'no name'
  if (rules.namesAreEncrypted) return null
  if (name.includes(SLASH)) return 'a name with a slash'
  return name.includes(0) ? 'a name with a zero byte' : null
}
