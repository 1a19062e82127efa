import type { FileKind, FileNode } from '../file-system.ts'

/** Bytes that lie with the contents of the bin. */
export type StoredItem = {
  readonly sizeBytes: number
  /** Of an item of a chunk and more; 0 for a small one, which shares a chunk with others. */
  readonly chunkCount: number
  /** Of a small one: it begins another chunk than the small one before. */
  readonly beginsChunk: boolean
}

export type StoredBlob = StoredItem & {
  /** CRC-32C. */
  readonly checksum: number
}

/** Extended attributes, encoded: in the entry, or with the contents. */
export type AttributesPlace =
  | { readonly kind: 'none' }
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'stored'; readonly blob: StoredBlob }

/** Which parts of a file are not holes: all of it, or a list, encoded. */
export type RangesPlace = { readonly kind: 'whole' } | Exclude<AttributesPlace, { kind: 'none' }>

/** What the catalogue says of a file. */
export type EntryNode = Pick<
  FileNode,
  | 'mode'
  | 'userId'
  | 'groupId'
  | 'linkCount'
  | 'sizeBytes'
  | 'accessed'
  | 'modified'
  | 'changed'
  | 'born'
  | 'device'
> & {
  readonly kind: FileKind
  /** In the file system that it was taken from. */
  readonly number: number
  /** Kept where there is no time of birth to tell two files of one number apart; else 0. */
  readonly generation: number
  /** Of a symbolic link; empty for others. */
  readonly target: Uint8Array
  readonly attributes: AttributesPlace
  readonly ranges: RangesPlace
  /** Of a file that has any. */
  readonly content: StoredItem | null
}

/** A further name of a file: where its first one is. */
export type EntryLink = { readonly kind: 'hard-link'; readonly parent: Uint8Array; readonly name: Uint8Array }

/** One name in the catalogue. The root has neither parent nor name. */
export type FileSetEntry = {
  /** The path of the directory it is in. */
  readonly parent: Uint8Array
  readonly name: Uint8Array
  readonly file: EntryNode | EntryLink
}

/** Bytes without holes as an item. */
export function itemOf(
  sizeBytes: number,
  how: { readonly beginsChunk: boolean; readonly chunkSizeBytes: number },
): StoredItem {
  const isSmall = sizeBytes < how.chunkSizeBytes
  const chunkCount = isSmall ? 0 : Math.ceil(sizeBytes / how.chunkSizeBytes)
  return { sizeBytes, chunkCount, beginsChunk: isSmall && how.beginsChunk }
}
