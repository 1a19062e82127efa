// The records of fast commits, little-endian: the kernel's "ext4 Data Structures and Algorithms", sections "Journal
// (jbd2)" and "Fast commits". Each is a tag and a length of two bytes, and so many bytes of value.
import type { BlockRun } from '../block-run.ts'

export const FastCommitTag = {
  AddRange: 0x1,
  DeleteRange: 0x2,
  Create: 0x3,
  Link: 0x4,
  Unlink: 0x5,
  Inode: 0x6,
  Padding: 0x7,
  Tail: 0x8,
  Head: 0x9,
} as const

export const RECORD_HEADER_SIZE = 4
/** Features and number of the transaction; in a tail, that number and the checksum. */
const HEAD_SIZE = 8
const TAIL_SIZE = 8

/** Where a record lies on the volume. */
type Placed = { readonly offsetBytes: number; readonly inodeNumber: number }

type InodeRecord = Placed & { readonly kind: 'inode'; readonly bytes: Uint8Array }
/** Blocks of a file that lie elsewhere since, or nowhere: then `firstBlock` is 0. */
export type RangeRecord = Placed & { readonly kind: 'range'; readonly run: BlockRun }
export type NameRecord = Placed & {
  readonly kind: 'create' | 'link' | 'unlink'
  readonly directory: number
  readonly name: Uint8Array
}
export type FastCommitRecord = InodeRecord | RangeRecord | NameRecord

const NAME_KINDS: ReadonlyMap<number, NameRecord['kind']> = new Map([
  [FastCommitTag.Create, 'create'],
  [FastCommitTag.Link, 'link'],
  [FastCommitTag.Unlink, 'unlink'],
])
const ADD_RANGE_SIZE = 16
const DELETE_RANGE_SIZE = 12
const NAME_HEADER_SIZE = 8
const NAME_SIZE_MAX = 255
const INODE_NUMBER_SIZE = 4
const INODE_SIZE_MIN = 128
/** A longer extent is unwritten, and so much shorter. */
const WRITTEN_LENGTH_MAX = 32768
const TWO_TO_32 = 2 ** 32

/** Whether a record with this tag can have a value of this length. */
export function isLengthKnown(tag: number, length: number, inodeSizeBytes: number): boolean {
  switch (tag) {
    case FastCommitTag.AddRange:
      return length === ADD_RANGE_SIZE
    case FastCommitTag.DeleteRange:
      return length === DELETE_RANGE_SIZE
    case FastCommitTag.Create:
    case FastCommitTag.Link:
    case FastCommitTag.Unlink:
      return length > NAME_HEADER_SIZE && length <= NAME_HEADER_SIZE + NAME_SIZE_MAX
    case FastCommitTag.Inode:
      return length >= INODE_NUMBER_SIZE + INODE_SIZE_MIN && length <= INODE_NUMBER_SIZE + inodeSizeBytes
    case FastCommitTag.Padding:
      return true
    case FastCommitTag.Tail:
      return length >= TAIL_SIZE
    case FastCommitTag.Head:
      return length === HEAD_SIZE
    default:
      return false
  }
}

/** What a record with a length that is known says; null for those that say nothing of files. */
export function parseRecord(tag: number, value: Uint8Array, offsetBytes: number): FastCommitRecord | null {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  switch (tag) {
    case FastCommitTag.AddRange: {
      const length = view.getUint16(8, true)
      const unwritten = length > WRITTEN_LENGTH_MAX
      const run = {
        fileBlock: view.getUint32(4, true),
        blockCount: unwritten ? length - WRITTEN_LENGTH_MAX : length,
        firstBlock: view.getUint32(12, true) + view.getUint16(10, true) * TWO_TO_32,
        unwritten,
      }
      return { kind: 'range', offsetBytes, inodeNumber: view.getUint32(0, true), run }
    }
    case FastCommitTag.DeleteRange: {
      const [fileBlock, blockCount] = [view.getUint32(4, true), view.getUint32(8, true)]
      const run = { fileBlock, blockCount, firstBlock: 0, unwritten: false }
      return { kind: 'range', offsetBytes, inodeNumber: view.getUint32(0, true), run }
    }
    case FastCommitTag.Inode: {
      const bytes = value.slice(INODE_NUMBER_SIZE)
      return { kind: 'inode', offsetBytes, inodeNumber: view.getUint32(0, true), bytes }
    }
    default: {
      const kind = NAME_KINDS.get(tag)
      if (kind === undefined) return null
      const [directory, inodeNumber] = [view.getUint32(0, true), view.getUint32(4, true)]
      return { kind, offsetBytes, inodeNumber, directory, name: value.slice(NAME_HEADER_SIZE) }
    }
  }
}
