/** Part of an image to write: chunks of one leaf, or a run of zeros. Plain data, so that it can be posted to a thread. */
export type RestoreJob =
  | {
      readonly kind: 'leaf'
      readonly leafIndex: number
      /** Places that hold a chunk: 32 bytes, place p is bit p % 8 of byte p / 8. The others are zeros. */
      readonly set: Uint8Array
      /** 256 ids of 32 bytes. */
      readonly ids: Uint8Array
    }
  | { readonly kind: 'zeros'; readonly offset: number; readonly length: number }

export type RestoreOutcome = {
  readonly writtenBytes: number
  /** Made zero, by a hole, a discard or by writing. */
  readonly zeroedBytes: number
  /** Read from the target and found right. */
  readonly keptBytes: number
}

export type RestoreLanes = AsyncDisposable & {
  readonly count: number
  restore(job: RestoreJob): Promise<RestoreOutcome>
  /** After it returns, every write of every finished job has been done. */
  drain(): Promise<void>
}
