/** Blocks of a file that lie one after the other in the file and on the volume. Holes have no run. */
export type BlockRun = {
  /** In blocks from the start of the file. */
  readonly fileBlock: number
  readonly blockCount: number
  readonly firstBlock: number
  /** Allocated and never written: it reads as zero, whatever lies there. */
  readonly unwritten: boolean
}

/** Blocks of a file, from `start` up to but not including `end`. */
export type FileBlocks = {
  readonly start: number
  readonly end: number
  /** Called with each block that holds a part of the map and that is read for it. */
  readonly onNode?: (block: number) => void
}

/** How many runs are handed on at once: a step costs a promise, and a deep tree holds one batch for each directory. */
export const RUN_BATCH_LENGTH = 512
