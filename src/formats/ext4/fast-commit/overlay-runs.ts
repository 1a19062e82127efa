import type { BlockRun, FileBlocks } from '../block-run.ts'

/**
 * Lays newer runs over older ones: both ascend and do not overlap, and so does what comes out. A newer run that leads
 * to block 0 is a hole.
 */
class RunOverlay {
  readonly #newer: readonly BlockRun[]
  #index: number
  /** The newer run at the index may lie over several older ones, and comes out once. */
  #isOut = false

  constructor(newer: readonly BlockRun[], blocks: FileBlocks) {
    this.#newer = newer
    const first = newer.findIndex((run) => endOf(run) > blocks.start)
    this.#index = first === -1 ? newer.length : first
  }

  /** Appends what is left of an older run to `out`, behind all newer runs that begin before its end. */
  take(older: BlockRun, out: BlockRun[]): void {
    const end = endOf(older)
    let start = older.fileBlock
    for (let run = this.#newer[this.#index]; run !== undefined; run = this.#newer[this.#index]) {
      if (run.fileBlock >= end) break
      if (run.fileBlock > start) out.push(part(older, start, run.fileBlock))
      this.#put(run, out)
      start = Math.max(start, endOf(run))
      if (endOf(run) > end) break
      this.#next()
    }
    if (start < end) out.push(part(older, start, end))
  }

  /** Appends the newer runs behind all older ones. */
  finish(out: BlockRun[], blocks: FileBlocks): void {
    for (let run = this.#newer[this.#index]; run !== undefined; run = this.#newer[this.#index]) {
      if (run.fileBlock >= blocks.end) return
      this.#put(run, out)
      this.#next()
    }
  }

  #put(run: BlockRun, out: BlockRun[]): void {
    if (!this.#isOut) out.push(run)
    this.#isOut = true
  }

  #next(): void {
    this.#index += 1
    this.#isOut = false
  }
}

/** Runs in the order of their making, as ascending runs: where they overlap, the later one holds. Holes stay. */
export function newestRuns(runs: readonly BlockRun[]): readonly BlockRun[] {
  if (runs.length < 2) return runs
  const middle = runs.length >>> 1
  const all = { start: 0, end: Infinity }
  const overlay = new RunOverlay(newestRuns(runs.slice(middle)), all)
  const out: BlockRun[] = []
  for (const run of newestRuns(runs.slice(0, middle))) overlay.take(run, out)
  overlay.finish(out, all)
  return out
}

/** The runs of a file that touch `blocks`, with what was changed laid over them. */
export async function* overlayRuns(
  older: AsyncIterable<readonly BlockRun[]>,
  newer: readonly BlockRun[],
  blocks: FileBlocks,
): AsyncGenerator<readonly BlockRun[]> {
  const overlay = new RunOverlay(newer, blocks)
  for await (const batch of older) {
    const out: BlockRun[] = []
    for (const run of batch) overlay.take(run, out)
    yield out.filter(isAllocated)
  }
  const out: BlockRun[] = []
  overlay.finish(out, blocks)
  yield out.filter(isAllocated)
}

function isAllocated(run: BlockRun): boolean {
  return run.firstBlock !== 0
}

function endOf(run: BlockRun): number {
  return run.fileBlock + run.blockCount
}

/** A hole stays a hole. */
function part(run: BlockRun, start: number, end: number): BlockRun {
  const firstBlock = run.firstBlock === 0 ? 0 : run.firstBlock + start - run.fileBlock
  return { ...run, fileBlock: start, blockCount: end - start, firstBlock }
}
