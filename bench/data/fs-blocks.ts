import assert from 'node:assert/strict'
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { runTool } from './run-tool.ts'

export const BLOCK_SIZE_BYTES = 4096
/** What lies in the zero file until its blocks are zeroed in the image. */
export const FILLER_BYTE = 0xa5
const PIECE_SIZE_BYTES = 4 * 2 ** 20

type BlockRun = { readonly firstBlock: number; readonly blockCount: number }

/**
 * Overwrites the blocks of the file `path` of an ext4 image with zeros. mke2fs makes holes of blocks that
 * are zero, and a volume in use has blocks of written zeros: so the file goes in as filler and is zeroed here.
 */
export function zeroFileInImage(image: string, path: string): number {
  const runs = parseLeafExtents(runTool('debugfs', ['-R', `dump_extents -l ${path}`, image]))
  const file = openSync(image, 'r+')
  let zeroedBytes = 0
  try {
    for (const run of runs) zeroedBytes += zeroRun(file, run)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return zeroedBytes
}

/**
 * The extents that `debugfs dump_extents -l` lists. A line: level/levels, index/count, logical first - last,
 * physical first - last, length, flags.
 */
export function parseLeafExtents(listing: string): BlockRun[] {
  const runs: BlockRun[] = []
  for (const line of listing.split('\n')) {
    const match = /^\s*\d+\/\s*\d+\s+\d+\/\s*\d+\s+\d+ -\s+\d+\s+(\d+) -\s+(\d+)\s+(\d+)/.exec(line)
    if (match === null) continue
    runs.push({ firstBlock: Number(match[1]), blockCount: Number(match[3]) })
  }
  return runs
}

function zeroRun(file: number, run: BlockRun): number {
  const found = Buffer.alloc(PIECE_SIZE_BYTES)
  const filler = Buffer.alloc(PIECE_SIZE_BYTES, FILLER_BYTE)
  const zeros = Buffer.alloc(PIECE_SIZE_BYTES)
  const end = (run.firstBlock + run.blockCount) * BLOCK_SIZE_BYTES
  for (let offset = run.firstBlock * BLOCK_SIZE_BYTES; offset < end; offset += PIECE_SIZE_BYTES) {
    const length = Math.min(PIECE_SIZE_BYTES, end - offset)
    readSync(file, found, 0, length, offset)
    // Only what is certainly ours may be overwritten: the listing may have been read wrongly.
    assert(found.subarray(0, length).equals(filler.subarray(0, length)))
    writeSync(file, zeros, 0, length, offset)
  }
  return run.blockCount * BLOCK_SIZE_BYTES
}
