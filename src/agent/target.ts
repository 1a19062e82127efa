import { createHmac } from 'node:crypto'
import type { LvmTools } from '../capture/lvm/lvm-tools.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { endOf, type Range } from '../domain/range.ts'
import { targetWriter, type TargetWriter } from '../lane/target-writer.ts'
import { isBlockDevice } from '../linux/is-block-device.ts'
import { openLocalSource, type LocalSource } from '../linux/local-source.ts'
import { openLocalTarget, type LocalTarget } from '../linux/local-target.ts'
import { reopenTarget } from '../linux/reopen.ts'
import { syscalls } from '../linux/syscalls.ts'
import {
  PIECE_BYTES_MAX,
  TARGET_WRITE_MS,
  type ChallengeQuestion,
  type ExtentsOfEpoch,
  type PieceOfImage,
  type PieceToWrite,
  type StreamFrom,
  type TargetOfAgent,
} from '../rpc/agent-api.ts'
import { openDiskTargetMap } from './disk-target-map.ts'
import type { PlacedTarget, TargetMap } from './target-map.ts'
import { openVolumeTargetMap } from './volume-target-map.ts'
import { writePieces } from './write-pieces.ts'

/** Twice as long as a mover may write after it asked, so that what it wrote last has arrived. */
const HOLD_MS = 2 * TARGET_WRITE_MS

type OpenParts = {
  readonly device: LocalTarget
  readonly source: LocalSource
  readonly writer: TargetWriter
  readonly map: TargetMap | null
  readonly stack: AsyncDisposableStack
}

/**
 * A volume that a restore writes: exclusively open from beginning to end, so that nobody can mount it or build anything
 * on it meanwhile.
 */
export class Target implements AsyncDisposable {
  readonly id: string
  readonly #parts: OpenParts
  /** Of who is writing through this host just now. */
  #isWriting = false
  #isClosed = false
  /** A descriptor must not be closed under a write: its number may be another file's by then. */
  #lastWrite: Promise<void> = Promise.resolve()
  #holdTimer: NodeJS.Timeout | undefined
  /** The protocol knows no target without one. */
  #epoch = 'unmapped'

  private constructor(id: string, parts: OpenParts) {
    this.id = id
    this.#parts = parts
  }

  /** Throws TARGET_UNSUITABLE, TARGET_IN_USE, TARGET_TOO_SMALL, TARGET_MISSING. */
  static async open(
    tools: LvmTools,
    wanted: { readonly id: string; readonly path: string; readonly sizeBytesMin: number },
    signal: AbortSignal,
  ): Promise<Target> {
    const { id, path } = wanted
    await requireDevice(path)
    await using stack = new AsyncDisposableStack()
    const options = { sizeBytes: wanted.sizeBytesMin, confirmed: true }
    const device = stack.use(await openLocalTarget(path, options))
    const { workingPath, sizeBytes } = device
    const source = stack.use(await openLocalSource(workingPath))
    const buffered = stack.use(reopenTarget(workingPath, { direct: false }))
    const fds = { directFd: device.fd, bufferedFd: buffered.fd }
    const writer = targetWriter({ path, kind: 'device', ...fds, sparse: true })
    const at = { path: workingPath, sizeBytes }
    const opened = (await openVolumeTargetMap(tools, at, signal)) ?? (await openDiskTargetMap(at, signal))
    const map = opened === null ? null : stack.use(opened)
    const target = new Target(id, { device, source, writer, map, stack: stack.move() })
    // What was written here before and not yet stored must not come later than what the mover writes.
    if (map !== null) target.#forget()
    return target
  }

  async describe(signal: AbortSignal): Promise<Omit<TargetOfAgent, 'leaseSeconds'>> {
    const { device, map } = this.#parts
    if (map !== null) await this.#place(map, signal)
    return {
      targetId: this.id,
      sizeBytes: device.sizeBytes,
      sectorSizeBytes: device.sectorSizeBytes,
      epoch: this.#epoch,
      devices: map?.devices ?? [],
    }
  }

  async *extents(from: StreamFrom, signal: AbortSignal): AsyncGenerator<ExtentsOfEpoch> {
    const map = this.#requireMap()
    yield* this.#streamOf(await this.#place(map, signal), from)
  }

  /** When anything lies elsewhere than in `epoch`, all of it is told: one epoch is remembered, not what was before it. */
  async *identify(
    from: StreamFrom & { readonly epoch: string },
    signal: AbortSignal,
  ): AsyncGenerator<ExtentsOfEpoch> {
    const map = this.#requireMap()
    const placed = await this.#place(map, signal)
    const { sizeBytes } = this.#parts.device
    if (placed.epoch === from.epoch) yield { imageSizeBytes: sizeBytes, epoch: placed.epoch, extents: [] }
    else yield* this.#streamOf(placed, from)
  }

  async challenge({ key, ranges }: ChallengeQuestion): Promise<readonly Uint8Array[]> {
    const digests: Uint8Array[] = []
    for (const range of ranges) {
      this.#requireWithin(range)
      const bytes = new Uint8Array(range.length)
      await this.#parts.source.image().readInto(bytes, range.offset)
      digests.push(createHmac('sha256', key).update(bytes).digest())
    }
    return digests
  }

  async *read(ranges: readonly Range[], signal: AbortSignal): AsyncGenerator<PieceOfImage> {
    const image = this.#parts.source.image()
    for (const range of ranges) {
      this.#requireWithin(range)
      for (let offset = range.offset; offset < endOf(range); offset += PIECE_BYTES_MAX) {
        signal.throwIfAborted()
        const bytes = new Uint8Array(Math.min(PIECE_BYTES_MAX, endOf(range) - offset))
        await image.readInto(bytes, offset)
        yield { offset, bytes }
      }
    }
  }

  async write(pieces: AsyncIterable<PieceToWrite>, signal: AbortSignal): Promise<number> {
    if (this.#isWriting) throw this.#refused('another stream writes it already')
    this.#isWriting = true
    try {
      const { device } = this.#parts
      const { path, sizeBytes } = device
      const writtenBytes = await writePieces({ path, sizeBytes, writer: this.#writer() }, pieces, signal)
      signal.throwIfAborted()
      await device.commit()
      return writtenBytes
    } finally {
      this.#isWriting = false
    }
  }

  /** Makes what was written durable, and lets this host see what was written past it. */
  async finish(): Promise<void> {
    const { device, map } = this.#parts
    await device.commit()
    if (map !== null) this.#forget()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#holdTimer)
    await this.#lastWrite
    await this.#parts.stack.disposeAsync()
  }

  #writer(): Pick<TargetWriter, 'write' | 'zero'> {
    const { writer } = this.#parts
    const whileOpen = async (write: () => Promise<void>): Promise<void> => {
      if (this.#isClosed) throw this.#refused('it was closed')
      const written = write()
      this.#lastWrite = written.catch(() => {})
      await written
    }
    return {
      write: (bytes, offset) => whileOpen(() => writer.write(bytes, offset)),
      zero: (range) => whileOpen(() => writer.zero(range)),
    }
  }

  #forget(): void {
    const { device, map } = this.#parts
    map?.forget()
    syscalls()?.flushDeviceCache(device.fd)
  }

  /** From here on the map stays true for as long as the mover may write by it. */
  async #place(map: TargetMap, signal: AbortSignal): Promise<PlacedTarget> {
    clearTimeout(this.#holdTimer)
    const placed = await map.hold(signal)
    this.#holdTimer = setTimeout(() => map.letGo(), HOLD_MS)
    this.#holdTimer.unref()
    this.#epoch = placed.epoch
    return placed
  }

  *#streamOf(placed: PlacedTarget, { startingOffset }: StreamFrom): Generator<ExtentsOfEpoch> {
    const { epoch } = placed
    const { sizeBytes: imageSizeBytes } = this.#parts.device
    if (startingOffset === imageSizeBytes) yield { imageSizeBytes, epoch, extents: [] }
    const rest = { offset: startingOffset, length: imageSizeBytes - startingOffset }
    this.#requireWithin(rest)
    for (const batch of placed.extents(rest)) yield { imageSizeBytes, epoch, extents: batch }
  }

  #requireMap(): TargetMap {
    if (this.#parts.map !== null) return this.#parts.map
    throw this.#refused('where it lies on disks is not known, it can be written through its host only')
  }

  #requireWithin({ offset, length }: Range): void {
    const { sizeBytes } = this.#parts.device
    if (offset >= 0 && length >= 0 && offset + length <= sizeBytes) return
    throw this.#refused(`${offset}+${length} is not within its ${sizeBytes} bytes`)
  }

  #refused(found: string): BackupError {
    const { path } = this.#parts.device
    return new BackupError(ErrorCode.AgentRefused, `Cannot use target "${path}": ${found}`, {
      data: { path },
    })
  }
}

async function requireDevice(path: string): Promise<void> {
  if (await isBlockDevice(path)) return
  const message = `Cannot restore to "${path}": there is no such block device, required is a volume of this host`
  throw new BackupError(ErrorCode.TargetMissing, message, { data: { path } })
}
