import type { PackContents } from '../repository/index-segment.ts'

/**
 * The work of a lane: read some chunks of one leaf of an image tree, and store those that the repository does
 * not have. Plain data, so that it can be posted to a thread.
 */
export type SealJob = {
  /** Which of the sources that the lanes were opened with. */
  readonly source: number
  readonly leafIndex: number
  /** The places to read: 32 bytes, place p is bit p % 8 of byte p / 8. */
  readonly read: Uint8Array
  /** What the base has there, so that an equal chunk is known without a look-up; null without a base. */
  readonly base: { readonly set: Uint8Array; readonly ids: Uint8Array } | null
}

export type SealOutcome = {
  /** Of the places that were read, those that are not zero: 32 bytes. */
  readonly set: Uint8Array
  /** 256 ids of 32 bytes; only those of `set` mean something. */
  readonly ids: Uint8Array
  readonly readBytes: number
  readonly zeroBytes: number
  readonly newChunkCount: number
  /** Chunks that differ from the base but that the repository had, or that this run stored already. */
  readonly reusedChunkCount: number
}

/** A pack that a lane has put into the store. */
export type StoredPack = PackContents & { readonly sizeBytes: number }

/** The lanes of one run. */
export type SealLanes = AsyncDisposable & {
  readonly count: number
  /** Throws what the source, the store or the lane reports; nothing else is lost by it. */
  seal(job: SealJob): Promise<SealOutcome>
  /** From the next job on, a source lies where this map says, in its compact encoding. No job of it may be under way. */
  remap(source: number, map: Uint8Array<SharedArrayBuffer>): Promise<void>
  /** After it returns, every chunk of every finished job is in the store and its pack was announced. */
  drain(): Promise<void>
}
