import { BLOCK_SIZE_BYTES } from './fs-blocks.ts'
import type { Run } from './data-runs.ts'
import { FULL_SIZE_BYTES } from './part.ts'
import type { SeededStream } from './seeded-stream.ts'

/** In a volume of 8 GiB; other sizes scale. With the sizes below they are 1% of 5 GB of data. */
const WRITE_COUNT_AT_FULL_SIZE = 1548
const WRITE_BLOCKS_MAX = 32

/**
 * Where a busy volume was written: at random places of its data, 4 to 128 KiB each, small ones more often
 * (log-uniform, about 34 KiB on average). In order, not overlapping.
 */
export function scatteredWrites(
  dataRuns: readonly Run[],
  options: { readonly sizeBytes: number; readonly stream: SeededStream },
): Run[] {
  const wanted = Math.round((WRITE_COUNT_AT_FULL_SIZE * options.sizeBytes) / FULL_SIZE_BYTES)
  const takenBlocks = new Set<number>()
  const writes: Run[] = []
  while (writes.length < wanted) {
    const write = oneWrite(dataRuns, options.stream)
    if (isTaken(write, takenBlocks)) continue
    for (const block of blocksOf(write)) takenBlocks.add(block)
    writes.push(write)
  }
  return writes.toSorted((a, b) => a.offset - b.offset)
}

function oneWrite(dataRuns: readonly Run[], stream: SeededStream): Run {
  const blockCount = Math.floor(WRITE_BLOCKS_MAX ** stream.unit() + 0.5)
  const totalBlocks = dataRuns.reduce((sum, run) => sum + Math.floor(run.length / BLOCK_SIZE_BYTES), 0)
  let block = stream.below(totalBlocks)
  for (const run of dataRuns) {
    const runBlocks = Math.floor(run.length / BLOCK_SIZE_BYTES)
    if (block < runBlocks) {
      const length = Math.min(blockCount, runBlocks - block) * BLOCK_SIZE_BYTES
      return { offset: run.offset + block * BLOCK_SIZE_BYTES, length }
    }
    block -= runBlocks
  }
  throw new Error('Cannot place a write: the image has no data')
}

function* blocksOf(write: Run): Generator<number> {
  for (let offset = 0; offset < write.length; offset += BLOCK_SIZE_BYTES) {
    yield (write.offset + offset) / BLOCK_SIZE_BYTES
  }
}

function isTaken(write: Run, takenBlocks: ReadonlySet<number>): boolean {
  for (const block of blocksOf(write)) if (takenBlocks.has(block)) return true
  return false
}
