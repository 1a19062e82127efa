import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { endOf, type Range } from '../domain/range.ts'
import {
  CHALLENGE_RANGE_BYTES_MAX,
  CHALLENGE_RANGES_MAX,
  PIECE_BYTES_MAX,
  type PieceOfImage,
} from '../rpc/agent-api.ts'
import type { AgentImage } from './agent-image.ts'
import { pieceMemory } from './piece-memory.ts'

const KEY_BYTES_MIN = 16
const KEY_BYTES_MAX = 64
/** What one call may ask to be read; a mover asks again for more. */
const READ_RANGES_MAX = 65_536
/** Of a challenge, under way at once: production reads too. */
const READS_MAX = 8
/** What direct I/O wants of memory. */
const ALIGNMENT = 4096
// A range of a challenge is read into the memory for a piece.
assert(CHALLENGE_RANGE_BYTES_MAX <= PIECE_BYTES_MAX)

/** HMAC-SHA-256 of each range under `key`, of the bytes as this host's kernel shows them. */
export async function challengeDigests(
  image: AgentImage,
  { key, ranges }: { readonly key: Uint8Array; readonly ranges: readonly Range[] },
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  requireKey(key)
  requireRanges(image, ranges, { countMax: CHALLENGE_RANGES_MAX, lengthMax: CHALLENGE_RANGE_BYTES_MAX })
  const whileHeld = image.whileHeld(signal)
  const view = await image.view(whileHeld)
  using memory = pieceMemory.borrow()
  const digests: Uint8Array[] = []
  for (const batch of placedIn(memory.bytes, ranges)) {
    whileHeld.throwIfAborted()
    await allRead(batch.map(({ range, target }) => view.readInto(target, range.offset)))
    for (const { target } of batch) digests.push(createHmac('sha256', key).update(target).digest())
  }
  return digests
}

type PlacedRange = { readonly range: Range; readonly target: Uint8Array }

/** The ranges in order, in batches that are read at once, each range into a place of its own in `memory`. */
function* placedIn(memory: Uint8Array, ranges: readonly Range[]): Generator<readonly PlacedRange[]> {
  let batch: PlacedRange[] = []
  let used = 0
  for (const range of ranges) {
    if (batch.length === READS_MAX || used + range.length > memory.byteLength) {
      yield batch
      batch = []
      used = 0
    }
    batch.push({ range, target: memory.subarray(used, used + range.length) })
    used += Math.ceil(range.length / ALIGNMENT) * ALIGNMENT
  }
  yield batch
}

/** Also after a failure no read is under way when it ends: it would write into what belongs to somebody else by then. */
async function allRead(reads: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(reads)
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

/** The bytes of the ranges, one piece being read while the one before it is sent. */
export async function* piecesOf(
  image: AgentImage,
  ranges: readonly Range[],
  signal: AbortSignal,
): AsyncGenerator<PieceOfImage> {
  requireRanges(image, ranges, { countMax: READ_RANGES_MAX, lengthMax: image.sizeBytes })
  requireAscending(ranges)
  const whileHeld = image.whileHeld(signal)
  const view = await image.view(whileHeld)
  using memory = pieceMemory.borrow()
  const read = async ({ offset, length }: Range): Promise<PieceOfImage> => {
    whileHeld.throwIfAborted()
    const target = memory.bytes.subarray(0, length)
    await view.readInto(target, offset)
    // A copy: direct I/O goes into memory of its own, and whoever sends it may hold it longer than we know.
    return { offset, bytes: new Uint8Array(target) }
  }
  let ahead: Promise<PieceOfImage> | null = null
  try {
    for (const range of pieceRanges(ranges)) {
      const piece = await ahead
      ahead = read(range)
      ahead.catch(() => {}) // It is awaited when it is its turn.
      if (piece !== null) yield piece
    }
    const last = await ahead
    if (last !== null) yield last
  } finally {
    await ahead?.catch(() => {}) // The system may still write into the memory.
  }
}

function* pieceRanges(ranges: readonly Range[]): Generator<Range> {
  for (const range of ranges) {
    for (let offset = range.offset; offset < endOf(range); offset += PIECE_BYTES_MAX) {
      yield { offset, length: Math.min(PIECE_BYTES_MAX, endOf(range) - offset) }
    }
  }
}

function requireKey({ byteLength }: Uint8Array): void {
  if (byteLength >= KEY_BYTES_MIN && byteLength <= KEY_BYTES_MAX) return
  throw wrong(`its key has ${byteLength} bytes, required are ${KEY_BYTES_MIN} to ${KEY_BYTES_MAX}`)
}

function requireRanges(
  { sizeBytes }: AgentImage,
  ranges: readonly Range[],
  { countMax, lengthMax }: { readonly countMax: number; readonly lengthMax: number },
): void {
  if (ranges.length > countMax) throw wrong(`it names ${ranges.length} ranges, the limit is ${countMax}`)
  for (const range of ranges) {
    const { offset, length } = range
    const isNatural =
      Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 1
    if (isNatural && length <= lengthMax && offset <= sizeBytes - length) continue
    throw wrong(
      `it names ${offset}+${length} of an image of ${sizeBytes} bytes, at most ${lengthMax} at once`,
    )
  }
}

function requireAscending(ranges: readonly Range[]): void {
  let end = 0
  for (const range of ranges) {
    if (range.offset < end)
      throw wrong(`offset ${range.offset} comes after ${end}, required are ascending ranges`)
    end = endOf(range)
  }
}

function wrong(found: string): BackupError {
  return new BackupError(ErrorCode.UsageWrong, `Cannot answer the request: ${found}`)
}
