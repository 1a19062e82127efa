import { closeSync, openSync, readSync } from 'node:fs'

export type Run = { readonly offset: number; readonly length: number }

const PIECE_SIZE_BYTES = 64 * 1024
const READ_SIZE_BYTES = 4 * 2 ** 20

/** The runs of 64 KiB pieces of a file that are not all zero, in order. */
export function dataRunsOf(path: string, sizeBytes: number): Run[] {
  const runs: Run[] = []
  const zeros = Buffer.alloc(PIECE_SIZE_BYTES)
  const block = Buffer.alloc(READ_SIZE_BYTES)
  const file = openSync(path, 'r')
  try {
    for (let blockOffset = 0; blockOffset < sizeBytes; blockOffset += READ_SIZE_BYTES) {
      const readBytes = readSync(file, block, 0, READ_SIZE_BYTES, blockOffset)
      for (let start = 0; start < readBytes; start += PIECE_SIZE_BYTES) {
        const piece = block.subarray(start, Math.min(start + PIECE_SIZE_BYTES, readBytes))
        if (!piece.equals(zeros.subarray(0, piece.length))) {
          append(runs, { offset: blockOffset + start, length: piece.length })
        }
      }
    }
  } finally {
    closeSync(file)
  }
  return runs
}

function append(runs: Run[], run: Run): void {
  const last = runs.at(-1)
  if (last === undefined || last.offset + last.length !== run.offset) runs.push(run)
  else runs[runs.length - 1] = { offset: last.offset, length: last.length + run.length }
}
