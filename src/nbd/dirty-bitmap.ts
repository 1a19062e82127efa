import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Range, RangeBatch } from '../domain/range.ts'
import { BatchCollector } from '../extents/batch-collector.ts'
import { joinRanges } from '../extents/join-ranges.ts'
import type { NbdImage } from './open-nbd-image.ts'
import { statusExtents } from './status-extents.ts'

const CONTEXT_PREFIX = 'qemu:dirty-bitmap:'
/** What QEMU allows for the name of a bitmap. */
const NAME_BYTES_MAX = 1023

/** The context that tells of a bitmap. Throws SyntaxError for a name that none can have. */
export function dirtyBitmapContext(bitmap: string): string {
  const length = Buffer.byteLength(bitmap)
  if (length === 0 || length > NAME_BYTES_MAX || /\p{Cc}/u.test(bitmap)) {
    throw new SyntaxError(
      `Cannot use bitmap "${bitmap.slice(0, 64)}": a name has 1 to ${NAME_BYTES_MAX} bytes without control characters`,
    )
  }
  return CONTEXT_PREFIX + bitmap
}

/**
 * What the server's bitmap calls changed, ascending; may be walked any number of times, and is asked again each time.
 * The image was opened with `dirtyBitmapContext()` among its contexts. Whatever keeps the server from giving a whole
 * answer is an error, CHANGES_UNKNOWN, PROTOCOL_WRONG or CONNECTION_FAILED, and never an empty list.
 */
export function dirtyRanges(
  image: NbdImage,
  bitmap: string,
): (signal: AbortSignal) => AsyncIterable<RangeBatch> {
  const contextId = image.client.agreement.contexts.get(dirtyBitmapContext(bitmap))
  if (contextId === undefined) {
    throw changesUnknown(
      image,
      bitmap,
      'the server does not serve it, required is an export with that bitmap',
    )
  }
  return (signal) => listed(image, { bitmap, contextId }, signal)
}

async function* listed(
  image: NbdImage,
  of: { readonly bitmap: string; readonly contextId: number },
  signal: AbortSignal,
): AsyncGenerator<RangeBatch, void, undefined> {
  const out = new BatchCollector<Range>(joinRanges)
  const range = { offset: 0, length: image.sizeBytes }
  try {
    const question = { uri: image.uri, contextId: of.contextId, range }
    for await (const batch of statusExtents(image.client, question, signal)) {
      // One flag has a meaning; one that is not known might mean changed too.
      for (const { offset, length, flags } of batch) if (flags !== 0) out.add({ offset, length })
      if (out.isFull) yield out.take()
    }
  } catch (cause) {
    if (!isBackupError(cause, ErrorCode.SourceReadFailed)) throw cause
    throw changesUnknown(image, of.bitmap, cause)
  }
  yield* out.rest()
}

/** `found` is half a sentence, or what says so. */
export function changesUnknown(image: NbdImage, bitmap: string, found: string | Error): BackupError {
  const [finding, options] = typeof found === 'string' ? [found, {}] : [found.message, { cause: found }]
  const message = `Cannot tell changes of "${image.uri}" by bitmap "${bitmap}": ${finding}`
  const data = { uri: image.uri, bitmap }
  return new BackupError(ErrorCode.ChangesUnknown, message, { data, ...options })
}
