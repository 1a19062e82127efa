import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import { endOf, type Range } from '../../domain/range.ts'
import { encodeShared } from '../../extents/encode-shared.ts'
import { ExtentTable } from '../../extents/extent-table.ts'
import { mergedRanges } from '../../extents/merged-ranges.ts'
import { replaceExtents } from '../../extents/replace-extents.ts'
import type { AgentApi, ExtentsOfEpoch, ImageOfAgent } from '../../rpc/agent-api.ts'

/** A map that moves faster than it can be sent is asked for so often. */
const ATTEMPTS_MAX = 5

/** 100 bytes each; agents bridge gaps long before. */
const MOVED_RANGES_MAX = 1_000_000

export type AgentMapParts = {
  readonly agent: Pick<AgentApi, 'extents' | 'identify'>
  readonly image: ImageOfAgent
  /** The agent's host, for sentences. */
  readonly host: string
}

/** Where an image lies, as its agent said last. */
export class AgentMap {
  readonly #parts: AgentMapParts
  #table: ExtentTable
  #epoch: string
  /** What moved and was not told yet to whoever reads. */
  #untold: readonly Range[] = []

  private constructor(parts: AgentMapParts, received: { table: ExtentTable; epoch: string }) {
    this.#parts = parts
    this.#table = received.table
    this.#epoch = received.epoch
  }

  /** Receives the whole map. Throws PROTOCOL_WRONG for what is none of this image. */
  static async receive(parts: AgentMapParts, signal: AbortSignal): Promise<AgentMap> {
    return await translated(parts, async () => new AgentMap(parts, await receiveTable(parts, signal)))
  }

  get sizeBytes(): number {
    return this.#table.sizeBytes
  }

  get extentCount(): number {
    return this.#table.count
  }

  extentsIn(range: Range): Iterable<Extent> {
    return this.#table.extentsIn(range)
  }

  batches(range: Range): Iterable<ExtentBatch> {
    return this.#table.batches(range)
  }

  async encode(): Promise<Uint8Array<SharedArrayBuffer>> {
    const { sizeBytes } = this
    const deviceCount = this.#parts.image.devices.length
    return await encodeShared(this.batches({ offset: 0, length: sizeBytes }), { sizeBytes, deviceCount })
  }

  /** Asks the agent; what moved is kept for `takeMoved()` too, which the mover hears later. Throws IMAGE_LOST. */
  async identify(signal: AbortSignal): Promise<readonly Range[]> {
    return await translated(this.#parts, () => untilStill(() => this.#identifyOnce(signal)))
  }

  async #identifyOnce(signal: AbortSignal): Promise<readonly Range[]> {
    const answer = new Alterations(this.#parts, this.#epoch)
    const altered = answer.receive(signal)
    const first = await altered.next()
    if (first.done === true) {
      this.#epoch = answer.epoch
      return []
    }
    const { sizeBytes } = this
    const whole = this.batches({ offset: 0, length: sizeBytes })
    this.#table = await ExtentTable.read(replaceExtents(whole, startingWith(first.value, altered)), {
      sizeBytes,
    })
    this.#epoch = answer.epoch
    this.#untold = mergedRanges([...this.#untold, ...answer.moved])
    return answer.moved
  }

  /** Asks, and tells all that moved since this was called before. */
  async takeMoved(signal: AbortSignal): Promise<readonly Range[]> {
    await this.identify(signal)
    const moved = this.#untold
    this.#untold = []
    return moved
  }
}

/** The answer to one question, taken as it comes: it is not held as a whole. */
class Alterations {
  readonly moved: Range[] = []
  epoch: string
  readonly #parts: AgentMapParts

  constructor(parts: AgentMapParts, epoch: string) {
    this.#parts = parts
    this.epoch = epoch
  }

  /** The batches that are not empty. */
  async *receive(signal: AbortSignal): AsyncGenerator<ExtentBatch> {
    const { agent, image } = this.#parts
    const from = { imageId: image.imageId, startingOffset: 0, epoch: this.epoch }
    for await (const part of agent.identify(from, signal)) {
      requireExtents(this.#parts, part)
      this.epoch = part.epoch
      if (part.extents.length === 0) continue
      for (const extent of part.extents) this.#add(extent)
      yield part.extents
    }
  }

  #add({ offset, length }: Range): void {
    const last = this.moved.at(-1)
    if (last !== undefined && endOf(last) === offset) {
      this.moved[this.moved.length - 1] = { offset: last.offset, length: last.length + length }
      return
    }
    this.moved.push({ offset, length })
    if (this.moved.length > MOVED_RANGES_MAX) {
      throw new RangeError(`more than ${MOVED_RANGES_MAX} ranges of it moved at once`)
    }
  }
}

async function* startingWith(
  first: ExtentBatch,
  others: AsyncIterable<ExtentBatch>,
): AsyncGenerator<ExtentBatch> {
  yield first
  yield* others
}

async function receiveTable(
  parts: AgentMapParts,
  signal: AbortSignal,
): Promise<{ table: ExtentTable; epoch: string }> {
  const { agent, image } = parts
  return await untilStill(async () => {
    const epochs = new Set<string>()
    async function* checked(): AsyncGenerator<ExtentBatch> {
      for await (const part of agent.extents({ imageId: image.imageId, startingOffset: 0 }, signal)) {
        requireExtents(parts, part)
        epochs.add(part.epoch)
        yield part.extents
      }
    }
    const table = await ExtentTable.read(checked(), { sizeBytes: image.sizeBytes })
    const [epoch = image.epoch] = epochs
    if (epochs.size > 1) throw new RangeError(`it is of ${epochs.size} epochs, expected one`)
    return { table, epoch }
  })
}

/** What came of a map that moved meanwhile is dropped, and all of it asked for again. */
async function untilStill<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!isBackupError(error, ErrorCode.MapMoved) || attempt >= ATTEMPTS_MAX) throw error
    }
  }
}

/** Throws RangeError. Order and cover are looked at by whoever puts the extents into a table. */
function requireExtents({ image }: AgentMapParts, { imageSizeBytes, extents }: ExtentsOfEpoch): void {
  if (imageSizeBytes !== image.sizeBytes) {
    throw new RangeError(`it is of an image of ${imageSizeBytes} bytes, which had ${image.sizeBytes}`)
  }
  for (const extent of extents) {
    if (endOf(extent) > image.sizeBytes)
      throw new RangeError(`extent ${textOf(extent)} ends behind the image`)
    if (extent.kind === 'inline') throw new RangeError(`extent ${textOf(extent)} brings bytes of its own`)
    if (extent.kind === 'data') requirePlace(image, extent)
  }
}

function requirePlace(image: ImageOfAgent, extent: Extract<Extent, { kind: 'data' }>): void {
  // Of what is read through the agent's host only, nobody here asks where it lies.
  if (image.devices.length === 0) return
  const device = image.devices[extent.device]
  const end = extent.physicalOffset + extent.length
  if (device !== undefined && extent.physicalOffset >= 0 && end <= device.sizeBytes) return
  const found =
    device === undefined
      ? `device ${extent.device} of ${image.devices.length}`
      : `bytes up to ${end} of a disk of ${device.sizeBytes}`
  throw new RangeError(`extent ${textOf(extent)} lies on ${found}`)
}

function textOf({ offset, length }: Range): string {
  return `${offset}+${length}`
}

async function translated<T>(parts: AgentMapParts, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const message = `Cannot take the map of "${parts.image.source}" from agent "${parts.host}": ${cause.message}`
    throw new BackupError(ErrorCode.ProtocolWrong, message, { cause })
  }
}
