import type { FileTime } from '../formats/file-system.ts'

/** What a name in the target is now; `identity` tells one file from another. */
export type TargetEntry = {
  readonly kind: 'file' | 'directory' | 'other'
  readonly identity: string
}

/** What is set on a file, a folder, a link or a special file once its content is there. */
export type TargetMetadata = {
  readonly mode: number
  readonly userId: number
  readonly groupId: number
  readonly accessed: FileTime
  readonly modified: FileTime
  readonly attributes: readonly { readonly name: Uint8Array; readonly value: Uint8Array }[]
}

/** Something that the system did not let be set: an ordinary user may not give files away. */
export type NotKept = {
  readonly what: 'owner' | 'mode' | 'times' | 'attribute'
  /** `EPERM`, or a few words. */
  readonly reason: string
}

export type SpecialFile = {
  readonly kind: 'block-device' | 'character-device' | 'fifo' | 'socket'
  readonly device: { readonly major: number; readonly minor: number } | null
}

/** A file that is being written. */
export type TargetFile = Disposable & {
  /** All bytes of `bytes`, at `offset`. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  /** What was not written up to there reads as zeros and takes no space. */
  setSize(sizeBytes: number): void
  setMetadata(metadata: TargetMetadata): readonly NotKept[]
}

/**
 * A folder that is held open and that names are looked up in, one at a time and without following a link: nobody who
 * can write there can lead what is written elsewhere. Names have no slash and are not `.` or `..`. Methods throw the
 * errors of the system, with `code`.
 */
export type TargetFolder = Disposable & {
  /** Null when there is no such name. */
  lookUp(name: Uint8Array): TargetEntry | null
  /** Throws ENOTDIR or ELOOP when it is none. */
  openFolder(name: Uint8Array): TargetFolder
  makeFolder(name: Uint8Array): TargetFolder
  /** A new file that only its owner can read, until its metadata is set. Throws EEXIST. */
  makeFile(name: Uint8Array): TargetFile
  makeLink(name: Uint8Array, target: Uint8Array): void
  /** Throws ENOSYS where that cannot be done. */
  makeSpecial(name: Uint8Array, file: SpecialFile): void
  /** One more name for a file of this or another folder. */
  makeHardLink(name: Uint8Array, existing: { readonly folder: TargetFolder; readonly name: Uint8Array }): void
  /** Of a link or a special file. */
  setMetadataOf(name: Uint8Array, metadata: TargetMetadata): readonly NotKept[]
  /** Of this folder. */
  setMetadata(metadata: TargetMetadata): readonly NotKept[]
  /** Replaces what has the new name, in one step. */
  rename(from: Uint8Array, to: Uint8Array): void
  /** Whatever it is, but a folder. One that is not there is no failure. */
  remove(name: Uint8Array): void
  /** After it returns, all that was written to the file system of this folder is durable. */
  sync(): void
}
