import type { ExtentBatch } from '../domain/extent.ts'
import type { Range, RangeBatch } from '../domain/range.ts'
import type { Catalogue } from './catalogue.ts'
import type { Finding } from './finding.ts'
import type { InodeMap } from './inode-map.ts'

export type FileKind =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'block-device'
  | 'character-device'
  | 'fifo'
  | 'socket'

/** Since 1970 in UTC; seconds may be negative, nanoseconds are 0 to 999,999,999. */
export type FileTime = { readonly seconds: number; readonly nanoseconds: number }

/** What an inode says of a file. */
export type FileNode = {
  /** The inode number, a safe integer. */
  readonly number: number
  /** Tells a number that was used again from the one before. */
  readonly generation: number
  /** Of a file set: what number and generation were in the file system that it was taken from. */
  readonly origin?: { readonly number: number; readonly generation: number }
  readonly kind: FileKind
  /** The twelve bits of permissions, set-id and sticky. */
  readonly mode: number
  readonly userId: number
  readonly groupId: number
  readonly sizeBytes: number
  readonly linkCount: number
  readonly accessed: FileTime
  readonly modified: FileTime
  readonly changed: FileTime
  /** Null where the format does not keep it. */
  readonly born: FileTime | null
  /** Of a device file; null for all others. */
  readonly device: { readonly major: number; readonly minor: number } | null
}

/** Names are bytes: neither their encoding nor their form is anybody's promise. */
export type DirectoryEntry = {
  readonly name: Uint8Array
  readonly inodeNumber: number
  /** False when the directory says that it is something else: good to look for directories first, not to believe. */
  readonly mayBeDirectory?: boolean
}

/** `name` with its namespace, as the kernel shows it: `user.note`, `security.selinux`, `system.posix_acl_access`. */
export type ExtendedAttribute = { readonly name: Uint8Array; readonly value: Uint8Array }

/** Whether what the file system says is free is proven free. */
export type AllocationProof =
  | { readonly proven: true }
  /** A sentence's end, such as "its journal needs recovery". */
  | { readonly proven: false; readonly reason: string }

/**
 * A file system read from the bytes of a volume alone. Offsets in the extents of a file are offsets of that
 * volume, as its only device, number 0. Every method throws FormatError for what is damaged and UnmappedError for
 * what is sound but not mapped; neither spoils the other files.
 */
export type FileSystem = {
  /** As people and tools name it: ext2, ext3, ext4, xfs. */
  readonly format: string
  readonly label: string
  /** In the usual form, 8-4-4-4-12. */
  readonly uuid: string
  readonly blockSizeBytes: number
  /** What it occupies of its volume, from byte 0; the volume may be larger. */
  readonly sizeBytes: number
  readonly allocation: AllocationProof
  /** Said once to whoever opened it: what was odd so far. Grows while structures are read. */
  readonly findings: readonly Finding[]
  readonly rootInodeNumber: number
  /**
   * The ranges in use, ascending, metadata included, within `sizeBytes`. What is not proven free is in use; when
   * `allocation` is not proven that is everything.
   */
  usedRanges(signal: AbortSignal): AsyncIterable<RangeBatch>
  readNode(inodeNumber: number): Promise<FileNode>
  /** Without `.` and `..`, in the order in which they lie. */
  readDirectory(node: FileNode, signal: AbortSignal): AsyncIterable<readonly DirectoryEntry[]>
  /** The map of a file's content within `range`, ascending, covering it wholly: data, zero (holes, unwritten), inline. */
  fileExtents(node: FileNode, range: Range, signal: AbortSignal): AsyncIterable<ExtentBatch>
  readSymlink(node: FileNode): Promise<Uint8Array>
  readAttributes(node: FileNode): Promise<readonly ExtendedAttribute[]>
  /** Where inodes lie and what belongs to them, where that is known. */
  readonly inodes?: InodeMap
  /** Of a set of files: how it keeps its names. */
  readonly catalogue?: Catalogue
}
