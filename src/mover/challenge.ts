import { createHmac, timingSafeEqual } from 'node:crypto'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Randomness } from '../domain/randomness.ts'
import { endOf, type Range, type RangeBatch } from '../domain/range.ts'
import { drawRanges } from './draw-ranges.ts'

/** A reused disk is caught by one range, a stale one by luck: of a share s that is wrong, with 1 - (1 - s)^K. */
export const CHALLENGE_COUNT = 64
const KEY_BYTES = 32
/** An image that moves what was just read so often is moved faster than it can be read. */
const ROUNDS_MAX = 32

export type ChallengeParts = {
  /** What was frozen, and by whom: for the sentence. */
  readonly source: string
  readonly sizeBytes: number
  readonly sectorSizeBytes: number
  /** Where the image has data, ascending. May be walked several times. */
  dataRanges(range: Range, signal: AbortSignal): AsyncIterable<RangeBatch>
  /** HMAC-SHA-256 of each range, as whoever froze the image reads it. */
  ask(
    question: { readonly key: Uint8Array; readonly ranges: readonly Range[] },
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[]>
  /** The same range on the path that the backup is read on. */
  read(range: Range): Promise<Uint8Array>
  /** What moved since this was asked before: what was read of that may have been read at the wrong place. */
  moved(signal: AbortSignal): Promise<readonly Range[]>
  /** Where a range lies, in words. */
  where(range: Range): string
  readonly randomness: Randomness
  /** How many ranges; `CHALLENGE_COUNT` unless somebody asks for others. */
  readonly count?: number
}

/**
 * Compares random ranges of an image's data, as whoever froze it reads them, with what this host reads where the map says
 * that they lie. Gives how many were compared. Throws CHALLENGE_FAILED at the first that differs and has not moved.
 */
export async function challenge(parts: ChallengeParts, signal: AbortSignal): Promise<number> {
  const ranges = await drawRanges(parts, parts.count ?? CHALLENGE_COUNT, signal)
  if (ranges.length === 0) return 0
  const key = parts.randomness.bytes(KEY_BYTES)
  const answers = await parts.ask({ key, ranges }, signal)
  if (answers.length !== ranges.length) throw wrongCount(parts, answers.length, ranges.length)
  let open = ranges.map((range, index) => ({ range, answer: answers[index] ?? new Uint8Array() }))
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const differing: typeof open = []
    for (const one of open) {
      signal.throwIfAborted()
      const digest = createHmac('sha256', key)
        .update(await parts.read(one.range))
        .digest()
      const isSame = one.answer.byteLength === digest.byteLength && timingSafeEqual(one.answer, digest)
      if (!isSame) differing.push(one)
    }
    if (differing.length === 0) return ranges.length
    const moved = await parts.moved(signal)
    const still = differing.find(({ range }) => !moved.some((other) => isTouching(range, other)))
    if (still !== undefined) throw failed(parts, still.range)
    open = differing
  }
  const message = `Cannot compare "${parts.source}" with what its owner reads: its extents moved in each of ${ROUNDS_MAX} rounds, required is that what was read once stays in place for a moment`
  throw new BackupError(ErrorCode.SourceChanged, message)
}

function isTouching(a: Range, b: Range): boolean {
  return a.offset < endOf(b) && b.offset < endOf(a)
}

function failed(parts: ChallengeParts, range: Range): BackupError {
  const { offset, length } = range
  const where = parts.where(range)
  const message = `Cannot trust what this host reads of "${parts.source}": ${length} bytes at offset ${offset} of the image, on ${where}, are not what its owner reads there; nothing of it is stored. Required is that both hosts see the same disk, without a cache between`
  return new BackupError(ErrorCode.ChallengeFailed, message, { data: { offset, length, where } })
}

function wrongCount({ source }: ChallengeParts, found: number, expected: number): BackupError {
  const message = `Cannot compare "${source}" with what its owner reads: it answered ${found} ranges, expected ${expected}`
  return new BackupError(ErrorCode.ProtocolWrong, message)
}
