import { createHmac, timingSafeEqual } from 'node:crypto'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import type { Randomness } from '../domain/randomness.ts'
import { endOf, type Range, type RangeBatch } from '../domain/range.ts'
import { drawRanges } from './draw-ranges.ts'

/** A reused disk is caught by one range, a stale one by luck: of a share s that is wrong, with 1 - (1 - s)^K. */
export const CHALLENGE_COUNT = 64
const KEY_BYTES = 32
/** An image that moves what was just read so often is moved faster than it can be read. */
const ROUNDS_MAX = 32
/** Under way at once, of 64 KiB at most. */
const READS_MAX = 8

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
  const asked = parts.ask({ key, ranges }, signal)
  asked.catch(() => {}) // It is awaited when this host has read too.
  let digests = await digestsOf(parts, { key, ranges }, signal)
  const answers = await asked
  if (answers.length !== ranges.length) throw wrongCount(parts, answers.length, ranges.length)
  let open = ranges.map((range, index) => ({ range, answer: answers[index] ?? new Uint8Array() }))
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    open = open.filter(({ answer }, index) => !isSame(answer, digests[index]))
    if (open.length === 0) return ranges.length
    const moved = await parts.moved(signal)
    const still = open.find(({ range }) => !moved.some((other) => isTouching(range, other)))
    if (still !== undefined) throw failed(parts, still.range)
    digests = await digestsOf(parts, { key, ranges: open.map(({ range }) => range) }, signal)
  }
  const message = `Cannot compare "${parts.source}" with what its owner reads: its extents moved in each of ${ROUNDS_MAX} rounds, required is that what was read once stays in place for a moment`
  throw new BackupError(ErrorCode.SourceChanged, message)
}

/** Of what this host reads, in the order of the ranges. */
async function digestsOf(
  parts: Pick<ChallengeParts, 'read'>,
  { key, ranges }: { readonly key: Uint8Array; readonly ranges: readonly Range[] },
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const digests = mapConcurrent(ranges, READS_MAX, async (range) => {
    signal.throwIfAborted()
    return createHmac('sha256', key)
      .update(await parts.read(range))
      .digest()
  })
  return await Array.fromAsync(digests)
}

function isSame(answer: Uint8Array, digest: Uint8Array | undefined): boolean {
  return digest?.byteLength === answer.byteLength && timingSafeEqual(answer, digest)
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
