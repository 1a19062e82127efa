import type { Clock } from '../../domain/clock.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Range } from '../../domain/range.ts'
import type { Randomness } from '../../domain/randomness.ts'

/** What `reflinkProvider()` needs of the system: files that are cloned, and clones that are kept. */
export type ReflinkTools = {
  readonly clock: Clock
  readonly randomness: Randomness
  /** Throws SOURCE_MISSING, SOURCE_UNREADABLE, SOURCE_UNSUITABLE where no clone can be made of it. */
  openSource(path: string): Promise<CloneSource>
  /** The folders of clones of all file systems that are mounted here. */
  folders(): Promise<readonly CloneFolder[]>
}

export type CloneSource = AsyncDisposable & {
  /** Without links. */
  readonly path: string
  /** Writes back what is dirty, so that writers wait less for `clone()`. */
  flush(): Promise<void>
  version(): Promise<SourceVersion>
  room(): Promise<Room>
  /** In how many pieces it lies; when more than `countMax`, any number above it. */
  extentCount(countMax: number, signal: AbortSignal): Promise<number>
  /** Freezes it: what it holds at one moment, as a file without a name, which ends with the process. */
  clone(): Promise<UnnamedClone>
}

export type SourceVersion = {
  /** Another one after each write to the file. */
  readonly text: string
  /** The last write is so long ago that another one since would have changed `text`. */
  readonly isSettled: boolean
}

export type Room = { readonly freeBytes: number; readonly totalBytes: number }

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

export type CloneFolder = {
  readonly path: string
  names(): Promise<readonly string[]>
  /** Null when there is none of that name, or it is no file. */
  open(name: string): Promise<Clone | null>
  room(): Promise<Room>
}

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
  extents(range: Range, signal: AbortSignal): AsyncIterable<readonly ClonedExtent[]>
  /** Frees it. One that is gone is no error. */
  remove(): Promise<void>
}

/** An extent of a clone as its file system tells it; gaps are holes. */
export type ClonedExtent = Range & {
  readonly place: 'exact' | 'unwritten' | 'inexact'
  readonly physicalOffset: number
  readonly shared: boolean
}
