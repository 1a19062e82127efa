// Finds where the next record of the log would be written. What lies before it is of the newest round, what lies
// behind it of the round before, or was never written.
import { cycleIn, isHeaderIn, type LogRing } from './log-blocks.ts'
import { LOG_WINDOW_BLOCKS } from './log-layout.ts'

export type LogHead = {
  /** The first block behind the newest record. */
  readonly block: number
  /** The header of the newest record. */
  readonly recordBlock: number
}

/** The head, or what is wrong with the log, as the end of a sentence, when the head is not beyond doubt. */
export async function findLogHead(ring: LogRing): Promise<LogHead | string> {
  const { blockCount } = ring
  const first = await ring.cycleAt(0)
  const last = await ring.cycleAt(blockCount - 1)
  if (first === 0) return 'its log holds no record'
  if (first !== last && last !== first - 1) return 'the rounds of its log do not follow each other'
  // When the newest round ended with the log, the next record goes to its start, and all is of one round.
  const block = first === last ? 0 : await endOfRound(ring, first)
  const window = Math.min(LOG_WINDOW_BLOCKS, Math.floor(blockCount / 2))
  const start = (block + blockCount - window) % blockCount
  // Records may arrive in any order: nothing before the head may be missing, nothing behind it be newer.
  const blocks = await ring.read(start, 2 * window)
  let recordIndex = -1
  for (let index = 0; index < 2 * window; index += 1) {
    const expected = (start + index) % blockCount < block ? first : last
    const found = cycleIn(blocks, index)
    // Tools that clear a log leave a few blocks behind its one record that have no round at all.
    const isNever = found === 0 && index >= window
    if (found !== expected && !isNever) return 'its log was not written to its end'
    if (index < window && isHeaderIn(blocks, index)) recordIndex = index
  }
  if (recordIndex < 0) return 'its log holds no record before its head'
  return { block, recordBlock: (start + recordIndex) % blockCount }
}

/** The first block that is not of the round of block 0, if they are so ordered at all. */
async function endOfRound(ring: LogRing, newest: number): Promise<number> {
  let low = 0
  let high = ring.blockCount - 1
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((await ring.cycleAt(middle)) === newest) low = middle
    else high = middle
  }
  return high
}
