import type { FrozenImage } from '../../domain/frozen-image.ts'
import { METADATA_BLOCK_BYTES } from './layout.ts'

/** A gap of so many blocks is read rather than jumped over: to ask once more costs more time than to read them. */
const GAP_BLOCKS_MAX = 32
/** Gaps are read in so far as they leave a call below 16 MiB, or as there are no more of them than blocks that are wanted. */
const BLOCKS_WITH_GAPS_MAX = 4096

/** Blocks in memory: the block asked for as number `index` begins at `starts[index]` of `view`. */
export type LoadedBlocks = {
  readonly view: DataView
  /** The same memory in pieces of eight bytes: for comparing, not for reading. */
  readonly longs: BigInt64Array
  readonly starts: readonly number[]
}

type Run = { readonly firstBlock: number; readonly end: number; readonly start: number }

/**
 * Reads many blocks at once, in any order, some perhaps twice: sorted, neighbours in one read, into memory that the
 * next call uses again.
 */
export class BlockReader {
  readonly #image: FrozenImage
  #memory = new Uint8Array(0)

  constructor(image: FrozenImage) {
    this.#image = image
  }

  /** Every block must lie within the image. */
  async read(blocks: readonly number[]): Promise<LoadedBlocks> {
    const sorted = Float64Array.from(blocks).toSorted()
    const { runs, startOf, blockCount } = planRuns(sorted)
    const sizeBytes = blockCount * METADATA_BLOCK_BYTES
    if (this.#memory.byteLength < sizeBytes) this.#memory = new Uint8Array(sizeBytes)
    const memory = this.#memory
    await Promise.all(
      runs.map(({ firstBlock, end, start }) =>
        this.#image.readInto(
          memory.subarray(start, start + (end - firstBlock) * METADATA_BLOCK_BYTES),
          firstBlock * METADATA_BLOCK_BYTES,
        ),
      ),
    )
    return {
      view: new DataView(memory.buffer),
      longs: new BigInt64Array(memory.buffer),
      starts: blocks.map((block) => startOf.get(block) ?? 0),
    }
  }
}

function planRuns(sorted: Float64Array): {
  readonly runs: readonly Run[]
  readonly startOf: ReadonlyMap<number, number>
  readonly blockCount: number
} {
  const runs: Run[] = []
  const startOf = new Map<number, number>()
  let gapBudget = Math.max(sorted.length, BLOCKS_WITH_GAPS_MAX - sorted.length)
  let blockCount = 0
  let run: Run | undefined
  for (const block of sorted) {
    const gap = run === undefined ? Infinity : block - run.end
    if (run === undefined || gap > Math.min(GAP_BLOCKS_MAX, gapBudget)) {
      if (run !== undefined) runs.push(run)
      run = { firstBlock: block, end: block + 1, start: blockCount * METADATA_BLOCK_BYTES }
      blockCount += 1
    } else if (gap >= 0) {
      gapBudget -= gap
      blockCount += gap + 1
      run = { ...run, end: block + 1 }
    }
    startOf.set(block, (blockCount - 1) * METADATA_BLOCK_BYTES)
  }
  if (run !== undefined) runs.push(run)
  return { runs, startOf, blockCount }
}
