import type { HeldImage } from '../capture/provider/held-image.ts'
import type { ProvidedImage, RangeStream } from '../capture/provider/provided-image.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { endOf, type Range, type RangeBatch } from '../domain/range.ts'
import { BATCH_LENGTH } from '../extents/batches.ts'
import { restrictExtents } from '../extents/restrict-extents.ts'
import { subtractRanges } from '../extents/subtract-ranges.ts'
import type { DiskLoad, ExtentsOfEpoch } from '../rpc/agent-api.ts'
import type { DiskLoadMeter } from './disk-load.ts'
import { EpochHistory } from './epoch-history.ts'
import type { PlacedDevices } from './placed-devices.ts'
import { openSystemView, type SystemView } from './system-view.ts'

/** Questions that may be gone on with after an interruption. */
const ANSWERS_MAX = 64
/** Fewer are looked up one by one; more are found by walking the map between them. */
const LOOKED_UP_MAX = 256

export type AgentImageParts = {
  readonly id: string
  readonly source: string
  readonly provided: ProvidedImage
  readonly placed: PlacedDevices
  readonly meter: DiskLoadMeter
  readonly windowMs: number | null
  /** Null when there is none; told by `baseState`. */
  readonly base: HeldImage | null
  readonly basePointId: string | null
  /** Aborted when the image is held no more, with the reason. */
  readonly ended: AbortSignal
}

/** A frozen image that is held for a mover, and all that the mover can ask of it. */
export class AgentImage implements AsyncDisposable {
  readonly parts: AgentImageParts
  readonly #history: EpochHistory
  /** By the epoch that was asked with, the epoch that was answered last. */
  readonly #answered = new Map<string, string>()
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | null = null
  #view: Promise<SystemView> | null = null
  #changes: Promise<RangeStream> | null = null

  constructor(parts: AgentImageParts) {
    this.parts = parts
    this.#history = new EpochHistory(parts.id.slice(0, 12))
  }

  get sizeBytes(): number {
    return this.parts.provided.image.sizeBytes
  }

  get epoch(): string {
    return this.#history.newest
  }

  /**
   * Where all bytes lie. The epoch is that of when it begins: what has moved meanwhile may be told in its new place, and
   * is told again to whoever identifies that epoch.
   */
  async *extents(startingOffset: number, signal: AbortSignal): AsyncGenerator<ExtentsOfEpoch> {
    const { epoch } = this
    const range = this.#rest(startingOffset)
    if (range.length === 0) return
    // Who asks where the bytes lie asks next what this host sees there; who does hears why it sees nothing.
    this.view(signal).catch(() => {})
    for await (const extents of this.parts.provided.image.extents(range, this.whileHeld(signal))) {
      yield this.#told(epoch, extents)
    }
  }

  /**
   * What lies elsewhere than under `epoch`. Who goes on at an offset asks with the epoch of the first question and gets
   * the rest of that answer, under its epoch; what moved later comes with the next question.
   */
  async *identify(
    { epoch, startingOffset }: { readonly epoch: string; readonly startingOffset: number },
    signal: AbortSignal,
  ): AsyncGenerator<ExtentsOfEpoch> {
    const either = this.whileHeld(signal)
    const rest = this.#rest(startingOffset)
    this.#history.movedSince(epoch) // Refuses what is no epoch of this image, before the system is asked.
    if (startingOffset === 0) await whichever(this.#identifyNow(), either)
    const answered = startingOffset === 0 ? this.epoch : (this.#answered.get(epoch) ?? epoch)
    this.#remember(epoch, answered)
    const moved = cutAt(this.#history.movedSince(epoch), rest.offset)
    if (moved.length === 0) yield this.#told(answered, [])
    for await (const extents of this.#extentsOf(moved, either)) yield this.#told(answered, extents)
  }

  /** What may differ from the base. Throws CHANGES_UNKNOWN. */
  async *delta(
    { basePointId, startingOffset }: { readonly basePointId: string; readonly startingOffset: number },
    signal: AbortSignal,
  ): AsyncGenerator<RangeBatch> {
    const { base, provided, ended, source } = this.parts
    const rest = this.#rest(startingOffset)
    if (base === null || provided.changesSince === null || basePointId !== this.parts.basePointId) {
      const message = `Cannot tell what changed in "${source}" since point ${basePointId.slice(0, 12)}: no image of it is held for that, everything has to be compared`
      throw new BackupError(ErrorCode.ChangesUnknown, message)
    }
    // Asked once: who goes on at an offset goes on in the same list.
    this.#changes ??= forgetting(provided.changesSince(base, ended), () => (this.#changes = null))
    const changes = await whichever(this.#changes, this.whileHeld(signal))
    if (rest.length === 0) return
    const before = startingOffset === 0 ? [] : [[{ offset: 0, length: startingOffset }]]
    for await (const batch of subtractRanges(changes(), before)) {
      signal.throwIfAborted()
      yield batch
    }
  }

  async load(): Promise<DiskLoad> {
    return await this.parts.meter.load()
  }

  /** The bytes as the system shows them; see `openSystemView()`. */
  async view(signal: AbortSignal): Promise<Pick<SystemView, 'readInto'>> {
    const { provided, ended } = this.parts
    ended.throwIfAborted()
    this.#view ??= forgetting(openSystemView(provided, ended), () => (this.#view = null))
    return await whichever(this.#view, signal)
  }

  /** Lets go of what it has open; the image itself is its group's. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running
    const view = await this.#view?.catch(() => null)
    await view?.[Symbol.asyncDispose]()
  }

  #told(epoch: string, extents: ExtentsOfEpoch['extents']): ExtentsOfEpoch {
    return { imageSizeBytes: this.sizeBytes, epoch, extents: this.parts.placed.place(extents) }
  }

  #rest(startingOffset: number): Range {
    if (startingOffset > this.sizeBytes) {
      const message = `Cannot begin at offset ${startingOffset} of the image of "${this.parts.source}": it has ${this.sizeBytes} bytes`
      throw new BackupError(ErrorCode.UsageWrong, message, {
        data: { startingOffset, sizeBytes: this.sizeBytes },
      })
    }
    return { offset: startingOffset, length: this.sizeBytes - startingOffset }
  }

  /** Asks the system; who comes while it is being asked waits for the next answer, which is one for all of them. */
  #identifyNow(): Promise<void> {
    this.#next ??= this.#identifyAfter(this.#running)
    const asked = this.#next
    this.#running = asked.catch(() => {})
    return asked
  }

  /** Not ended by whoever asks: what the provider tells it tells once. */
  async #identifyAfter(earlier: Promise<void>): Promise<void> {
    await earlier
    this.#next = null
    this.#history.add(await this.parts.provided.identify(this.parts.ended))
  }

  #remember(epoch: string, answered: string): void {
    this.#answered.delete(epoch)
    this.#answered.set(epoch, answered)
    const [oldest] = this.#answered.keys()
    if (this.#answered.size > ANSWERS_MAX && oldest !== undefined) this.#answered.delete(oldest)
  }

  async *#extentsOf(moved: readonly Range[], signal: AbortSignal): AsyncGenerator<ExtentsOfEpoch['extents']> {
    const { image } = this.parts.provided
    if (moved.length <= LOOKED_UP_MAX) {
      for (const range of moved) yield* image.extents(range, signal)
      return
    }
    const [first] = moved
    const last = moved.at(-1)
    if (first === undefined || last === undefined) return
    const span = { offset: first.offset, length: endOf(last) - first.offset }
    yield* restrictExtents(image.extents(span, signal), inBatches(moved))
  }

  /** Aborted when whoever asks is gone, and when the image is. */
  whileHeld(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([this.parts.ended, signal])
  }
}

function cutAt(ranges: readonly Range[], start: number): readonly Range[] {
  return ranges
    .filter((range) => endOf(range) > start)
    .map((range) => {
      const offset = Math.max(range.offset, start)
      return { offset, length: endOf(range) - offset }
    })
}

function* inBatches(ranges: readonly Range[]): Generator<RangeBatch> {
  for (let at = 0; at < ranges.length; at += BATCH_LENGTH) yield ranges.slice(at, at + BATCH_LENGTH)
}

/** The answer, unless whoever waits for it is gone before it comes. */
async function whichever<Answer>(answer: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  answer.catch(() => {}) // Also when nobody waits for it any more.
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([answer, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What failed is tried anew by who asks next. */
function forgetting<Answer>(answer: Promise<Answer>, forget: () => void): Promise<Answer> {
  answer.catch(forget)
  return answer
}
