import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Range } from '../domain/range.ts'
import type { ExtentsOfEpoch } from './agent-api.ts'
import type { ImageFacts } from './image-facts.ts'
import { EMPTY_MESSAGES_MAX, MESSAGE_ITEMS_MAX, STREAM_ITEMS_MAX } from './wire-limits.ts'

/** What a stream of extents or ranges has to keep, from its first message to its last, over all interruptions. */
export class ReceivedStream {
  readonly #facts: ImageFacts | null
  /** The end of what came last: where to go on. */
  position: number
  epoch: string | null = null
  sizeBytes: number | null
  count = 0
  #emptyCount = 0
  #isFirst = true

  constructor(startingOffset: number, facts: ImageFacts | null) {
    this.position = startingOffset
    this.#facts = facts
    this.sizeBytes = facts?.sizeBytes ?? null
  }

  /** To be said when it is asked for, at first and after every interruption. */
  begin(): void {
    this.#isFirst = true
  }

  /** Takes a message of a map. Throws SyntaxError for what the rules do not allow. */
  takeExtents(part: ExtentsOfEpoch): void {
    this.#takeEpoch(part.epoch)
    this.takeRanges(part.imageSizeBytes, part.extents)
    for (const extent of part.extents) {
      if (extent.kind === 'data') this.#requireOnDevice(extent)
    }
  }

  /** The same of a change list; its size is null where the agent does not know it any more. */
  takeRanges(imageSizeBytes: number | null, ranges: readonly Range[]): void {
    this.#isFirst = false
    if (imageSizeBytes !== null) this.#takeSize(imageSizeBytes)
    this.#takeCount(ranges.length)
    const limit = this.sizeBytes ?? Number.MAX_SAFE_INTEGER
    for (const { offset, length } of ranges) {
      if (offset < this.position) {
        throw new SyntaxError(
          `${offset}+${length} comes after ${this.position}: not ascending, or overlapping`,
        )
      }
      if (length < 1 || length > limit - offset) {
        throw new SyntaxError(`${offset}+${length} is not within an image of ${limit} bytes`)
      }
      this.position = offset + length
    }
  }

  /** Another epoch is another map: after an interruption it may take the first one's place only if nothing of that has come. */
  #takeEpoch(epoch: string): void {
    if (this.epoch === null) this.epoch = epoch
    if (this.epoch === epoch) return
    if (!this.#isFirst) throw new SyntaxError('the epoch changes within a stream')
    if (this.count > 0) {
      throw new BackupError(
        ErrorCode.MapMoved,
        'Cannot go on with the map after an interruption: its extents have moved meanwhile; it has to be asked for again',
      )
    }
    this.epoch = epoch
  }

  #takeSize(sizeBytes: number): void {
    this.sizeBytes ??= sizeBytes
    if (this.sizeBytes === sizeBytes) return
    throw new SyntaxError(`the image has ${sizeBytes} bytes, and had ${this.sizeBytes} before`)
  }

  #takeCount(count: number): void {
    this.count += count
    this.#emptyCount = count === 0 ? this.#emptyCount + 1 : 0
    if (count > MESSAGE_ITEMS_MAX || this.count > STREAM_ITEMS_MAX || this.#emptyCount > EMPTY_MESSAGES_MAX) {
      throw new SyntaxError(
        `${count} entries in a message, ${this.count} in all and ${this.#emptyCount} empty messages, at most ` +
          `${MESSAGE_ITEMS_MAX}, ${STREAM_ITEMS_MAX} and ${EMPTY_MESSAGES_MAX} are taken`,
      )
    }
  }

  #requireOnDevice(extent: {
    readonly length: number
    readonly device: number
    readonly physicalOffset: number
  }): void {
    const { length, device, physicalOffset } = extent
    const devices = this.#facts?.devices ?? []
    const limit = devices.length === 0 ? Number.MAX_SAFE_INTEGER : devices[device]?.sizeBytes
    if (limit !== undefined && length <= limit - physicalOffset) return
    throw new SyntaxError(
      `an extent is ${physicalOffset}+${length} on device ${device}, which has not got that`,
    )
  }
}
