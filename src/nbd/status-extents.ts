import { endOf, type Range } from '../domain/range.ts'
import { BATCH_LENGTH } from '../extents/batches.ts'
import type { NbdClient } from './nbd-client.ts'
import { protocolWrong } from './nbd-error.ts'
import { DescriptorCursor, type StatusDescriptors } from './status-payload.ts'

/** What a server can be asked about at once with 32 bits, in whole blocks of any size. */
const COMPACT_RANGE_MAX_BYTES = 2 ** 31
/** Answers of a single extent, one after the other, that are as short as this lead nowhere. */
const PROGRESS_LEAST_BYTES = 4096
const ANSWERS_FREE = 1024

export type StatusExtent = { readonly offset: number; readonly length: number; readonly flags: number }

type Question = { readonly uri: string; readonly contextId: number; readonly range: Range }

/**
 * What the server says of `range` in one context, in batches: ascending, without gaps, covering it wholly. The range
 * begins at a block. Throws PROTOCOL_WRONG for an answer that does not.
 */
export async function* statusExtents(
  client: NbdClient,
  { uri, contextId, range }: Question,
  signal: AbortSignal,
): AsyncGenerator<readonly StatusExtent[], void, undefined> {
  const { sizeBytes, replyForm, blockSizes } = client.agreement
  const end = endOf(range)
  const askedEnd = Math.min(sizeBytes, Math.ceil(end / blockSizes.minimum) * blockSizes.minimum)
  const lengthMax = replyForm === 'extended' ? sizeBytes : COMPACT_RANGE_MAX_BYTES
  let answersLeft = ANSWERS_FREE + Math.ceil(range.length / PROGRESS_LEAST_BYTES)
  let position = range.offset
  while (position < end) {
    signal.throwIfAborted()
    answersLeft -= 1
    if (answersLeft < 0)
      throw protocolWrong(uri, `it describes ${range.length} bytes in endless small pieces`)
    const asked = { offset: position, length: Math.min(lengthMax, askedEnd - position) }
    const answer = (await client.blockStatus(asked)).get(contextId)
    if (answer === undefined) throw protocolWrong(uri, 'it says nothing of a context that it granted')
    for (const batch of batchesOf(answer, { uri, position, end, sizeBytes })) {
      yield batch
      position = endOf(batch.at(-1) ?? asked)
    }
    if (position < end && position % blockSizes.minimum !== 0) {
      throw protocolWrong(uri, `it describes part of a block, up to ${position}`)
    }
  }
}

/** The extents of one answer from `position` on, cut at `end`. */
function* batchesOf(
  answer: StatusDescriptors,
  about: {
    readonly uri: string
    readonly position: number
    readonly end: number
    readonly sizeBytes: number
  },
): Generator<readonly StatusExtent[]> {
  const { uri, end, sizeBytes } = about
  const cursor = new DescriptorCursor(answer)
  let { position } = about
  let batch: StatusExtent[] = []
  while (position < end && advance(cursor, uri)) {
    // The last extent may be longer than what was asked about; but the export ends where it ends.
    if (position + cursor.length > sizeBytes) {
      throw protocolWrong(uri, `it describes bytes up to ${position + cursor.length} of ${sizeBytes}`)
    }
    const length = Math.min(cursor.length, end - position)
    batch.push({ offset: position, length, flags: cursor.flags })
    position += length
    if (batch.length < BATCH_LENGTH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function advance(cursor: DescriptorCursor, uri: string): boolean {
  try {
    return cursor.advance()
  } catch (cause) {
    throw cause instanceof RangeError ? protocolWrong(uri, cause.message) : cause
  }
}
