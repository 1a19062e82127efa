import type { Command } from '../measure.ts'

export type BackUpWish = {
  /** Holds all that the program keeps: its repository in `repo`, its caches and keys beside it. */
  readonly state: string
  readonly source: string
  readonly run: 'first' | 'second'
  /** A file with what changed since the first run; only icecore takes one. */
  readonly changeList?: string
}

export type RestoreWish = { readonly state: string; readonly source: string; readonly target: string }

export type Restore = { readonly command: Command; readonly restoredFile: string }

/** A program that stores an image and gives it back. */
export type Peer = {
  readonly name: string
  /** The programs that it takes; without one of them its rows are left out, and said to be. */
  readonly tools: readonly string[]
  /** What makes an empty repository; not measured. */
  prepare(state: string): readonly Command[]
  backUp(wish: BackUpWish): Command
  /** Absent where no row asks for it. */
  readonly restore?: (wish: RestoreWish) => Restore
}
