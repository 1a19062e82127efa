import type { DifferingRange } from '../repository/differing-ranges.ts'

/** What two images differ in, with the first ranges; `held` has all of them when there are not more. */
export type Difference = {
  readonly rangeCount: number
  readonly differingBytes: number
  /** Of these, what became zeros. */
  readonly zeroedBytes: number
  readonly held: readonly DifferingRange[]
}

/** Counts ranges to the end and holds at most `heldMax` of them. */
export async function measureDifference(
  ranges: AsyncIterable<DifferingRange>,
  heldMax: number,
): Promise<Difference> {
  let rangeCount = 0
  let differingBytes = 0
  let zeroedBytes = 0
  const held: DifferingRange[] = []
  for await (const range of ranges) {
    rangeCount += 1
    differingBytes += range.length
    if (!range.exists) zeroedBytes += range.length
    if (held.length < heldMax) held.push(range)
  }
  return { rangeCount, differingBytes, zeroedBytes, held }
}

// Written at once: a system call for each of ten million ranges would take a minute.
const PIECE_LENGTH = 512

/** A JSON array of ranges as text, in pieces. */
export async function* changeListPieces(ranges: AsyncIterable<DifferingRange>): AsyncGenerator<string> {
  let lines: string[] = []
  let before = '[\n'
  for await (const { offset, length, exists } of ranges) {
    lines.push(`  ${JSON.stringify({ offset, length, exists })}`)
    if (lines.length < PIECE_LENGTH) continue
    yield before + lines.join(',\n')
    before = ',\n'
    lines = []
  }
  if (lines.length > 0) yield before + lines.join(',\n')
  else if (before === '[\n') yield '['
  yield before === '[\n' && lines.length === 0 ? ']\n' : '\n]\n'
}
