import type { FrozenImage } from './frozen-image.ts'
import type { Range } from './range.ts'

/** A file that can be cloned: made to share its blocks with another one until somebody writes. */
export type CloneSource = AsyncDisposable & {
  /** Without links. */
  readonly path: string
  /** Writes back what is dirty, so that writers wait less for `clone()`. */
  flush(): Promise<void>
  version(): Promise<SourceVersion>
  room(): Promise<Room>
  /** In how many pieces it lies; when more than `countMax`, any number above it. */
  extentCount(countMax: number, signal: AbortSignal): Promise<number>
  /** Freezes it: what it holds at one moment. Throws NO_ROOM_TO_FREEZE, FREEZE_FAILED. */
  clone(): Promise<UnnamedClone>
}

export type SourceVersion = {
  /** Another one after each write to the file. */
  readonly text: string
  /** The last write is so long ago that another one since would have changed `text`. */
  readonly isSettled: boolean
}

/** Of a file system. */
export type Room = { readonly freeBytes: number; readonly totalBytes: number }

/** A clone without a name: it goes away with the process, however that ends. */
export type UnnamedClone = AsyncDisposable & {
  readonly state: CloneState
  /** Gives it a name and facts, and makes it immutable and durable. */
  publish(name: string, facts: Uint8Array): Promise<Clone>
}

/** What tells a clone from all other files, and from itself after somebody wrote to it. */
export type CloneState = {
  readonly inode: string
  readonly generation: number
  readonly sizeBytes: number
  /** Nanoseconds since 1970: of the last change of its bytes; and of its bytes, attributes or names. */
  readonly modifiedNs: string
  readonly changedNs: string
  /** 0 when it has been removed. */
  readonly linkCount: number
}

/** Where the clones of one file system are kept. */
export type CloneFolder = {
  readonly path: string
  names(): Promise<readonly string[]>
  /** Null when there is none of that name, or it is no file. */
  open(name: string): Promise<Clone | null>
  room(): Promise<Room>
}

/** A clone that is kept, open for reading. */
export type Clone = AsyncDisposable & {
  readonly path: string
  readonly folder: CloneFolder
  readonly fd: number
  /** `fd` does direct I/O. */
  readonly direct: boolean
  /** It borrows `fd`. */
  readonly image: FrozenImage
  /** Where its bytes lie is a place on this; the same number on another says nothing. */
  readonly space: string
  /** The file system moves data of files that nobody writes to. */
  readonly isMoved: boolean
  state(): Promise<CloneState>
  facts(): Promise<Uint8Array | null>
  /** Durable when it returns. */
  setFacts(facts: Uint8Array): Promise<void>
  extents(range: Range, signal: AbortSignal): AsyncIterable<readonly FileExtent[]>
  /** Frees it. One that is gone is no error. */
  remove(): Promise<void>
}

/** An extent of a file as its file system tells it; gaps are holes. */
export type FileExtent = Range & {
  /**
   * `exact`: these bytes lie at `physicalOffset`, byte for byte. `unwritten`: allocated, and read as zeros. `inexact`: they
   * lie somewhere, encoded, inline, not aligned or not yet on the disk.
   */
  readonly place: 'exact' | 'unwritten' | 'inexact'
  readonly physicalOffset: number
  /** Other files, or other places of this one, have the same bytes on the disk. */
  readonly shared: boolean
}
