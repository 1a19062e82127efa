import type { Range } from '../domain/range.ts'
import { isPlaceIn } from '../mover/leaf-mask.ts'
import type { ChunkCodec } from '../repository/chunk-codec.ts'
import { PLACES } from '../repository/tree-node.ts'
import type { RestoreJob, RestoreOutcome } from '../restore/restore-lanes.ts'
import { BufferPool } from './buffer-pool.ts'
import { StoredChunks, type ChunkSlot, type StoredChunksOptions } from './stored-chunks.ts'
import type { TargetWriter } from './target-writer.ts'

/** What is put together in memory and written in one piece. */
const WINDOW_SIZE_BYTES = 8 * 1024 * 1024
/** One window is written while the next is filled. */
const WINDOWS = 2

export type RestoreLaneOptions = StoredChunksOptions & {
  readonly codec: ChunkCodec
  readonly target: TargetWriter
  readonly sizeBytes: number
  /** The target reads as zeros: places without a chunk need no work. */
  readonly isBlank: boolean
  /** Read the target first, and write only what differs. */
  readonly differing: boolean
}

type Window = {
  readonly job: LeafJob
  readonly firstPlace: number
  readonly placeCount: number
  readonly offset: number
  readonly length: number
}
type LeafJob = Extract<RestoreJob, { kind: 'leaf' }>
type Counts = { writtenBytes: number; zeroedBytes: number; keptBytes: number }

/** A lane reads stored chunks, opens and verifies them in memory, and writes them in large pieces. */
export class RestoreLane {
  readonly #options: RestoreLaneOptions
  readonly #windows: BufferPool
  readonly #chunks: StoredChunks
  /** What the target holds, when only differences are written. */
  readonly #present: Uint8Array | null
  readonly #zeros: Uint8Array
  readonly #placesPerWindow: number
  readonly #writing = new Set<Promise<void>>()
  #tail: Promise<unknown> = Promise.resolve()
  #failure: { readonly error: unknown } | null = null

  constructor(options: RestoreLaneOptions) {
    this.#options = options
    const { chunkSizeBytes, allocate } = options
    this.#placesPerWindow = Math.min(PLACES, Math.max(1, Math.floor(WINDOW_SIZE_BYTES / chunkSizeBytes)))
    const windowSize = this.#placesPerWindow * chunkSizeBytes
    this.#windows = new BufferPool(Array.from({ length: WINDOWS }, () => allocate(windowSize)))
    this.#chunks = new StoredChunks(options)
    this.#present = options.differing ? allocate(windowSize) : null
    this.#zeros = new Uint8Array(chunkSizeBytes)
  }

  async restore(job: RestoreJob): Promise<RestoreOutcome> {
    const done = this.#tail.then(() =>
      job.kind === 'leaf' ? this.#restoreLeaf(job) : this.#restoreZeros(job),
    )
    this.#tail = done.catch(ignore)
    return await done
  }

  async drain(): Promise<void> {
    await this.#tail
    await Promise.all(this.#writing)
    if (this.#failure !== null) throw this.#failure.error
  }

  async #restoreLeaf(job: LeafJob): Promise<RestoreOutcome> {
    const { chunkSizeBytes, sizeBytes } = this.#options
    const counts: Counts = { writtenBytes: 0, zeroedBytes: 0, keptBytes: 0 }
    for (let firstPlace = 0; firstPlace < PLACES; firstPlace += this.#placesPerWindow) {
      const offset = (job.leafIndex * PLACES + firstPlace) * chunkSizeBytes
      const length = Math.min(this.#placesPerWindow * chunkSizeBytes, sizeBytes - offset)
      if (length <= 0) break
      const placeCount = Math.ceil(length / chunkSizeBytes)
      await this.#restoreWindow({ job, firstPlace, placeCount, offset, length }, counts)
    }
    return counts
  }

  async #restoreZeros(job: Extract<RestoreJob, { kind: 'zeros' }>): Promise<RestoreOutcome> {
    const counts: Counts = { writtenBytes: 0, zeroedBytes: 0, keptBytes: 0 }
    const step = this.#placesPerWindow * this.#options.chunkSizeBytes
    if (this.#present === null) {
      await this.#zero({ offset: job.offset, length: job.length }, counts)
      return counts
    }
    for (let offset = job.offset; offset < job.offset + job.length; offset += step) {
      const present = this.#present.subarray(0, Math.min(step, job.offset + job.length - offset))
      await this.#options.target.read(present, offset)
      if (isZero(present, this.#zeros)) counts.keptBytes += present.byteLength
      else await this.#zero({ offset, length: present.byteLength }, counts)
    }
    return counts
  }

  async #restoreWindow(window: Window, counts: Counts): Promise<void> {
    const buffer = await this.#windows.acquire()
    let handedOn = false
    try {
      if (this.#failure !== null) throw this.#failure.error
      const wanted = await this.#wantedPlaces(window, counts)
      await this.#chunks.fill(this.#slotsOf(window, buffer, wanted.chunks))
      for (const range of wanted.zeros) await this.#zero(range, counts)
      const pieces = this.#writePieces(window, wanted.chunks)
      counts.writtenBytes += pieces.reduce((sum, piece) => sum + piece.length, 0)
      this.#startWrites(window, { buffer, pieces })
      handedOn = true
    } finally {
      if (!handedOn) this.#windows.release(buffer)
    }
  }

  #slotsOf(
    window: Window,
    buffer: Uint8Array,
    chunks: readonly { id: Uint8Array; place: number }[],
  ): ChunkSlot[] {
    const { chunkSizeBytes } = this.#options
    return chunks.map(({ id, place }) => {
      const at = (place - window.firstPlace) * chunkSizeBytes
      return { id, slot: buffer.subarray(at, at + chunkSizeBytes) }
    })
  }

  /** The chunks to bring, and the ranges to make zero; what the target has right already is in neither. */
  async #wantedPlaces(
    window: Window,
    counts: Counts,
  ): Promise<{ chunks: { id: Uint8Array; place: number }[]; zeros: Range[] }> {
    const { chunkSizeBytes, isBlank, target } = this.#options
    const present = this.#present?.subarray(0, window.placeCount * chunkSizeBytes) ?? null
    if (present !== null) {
      await target.read(present.subarray(0, window.length), window.offset)
      present.fill(0, window.length)
    }
    const chunks: { id: Uint8Array; place: number }[] = []
    const zeros: Range[] = []
    for (let index = 0; index < window.placeCount; index += 1) {
      const place = window.firstPlace + index
      const isSet = isPlaceIn(window.job.set, place)
      if (!isSet && isBlank) continue
      const offset = window.offset + index * chunkSizeBytes
      const length = Math.min(chunkSizeBytes, window.offset + window.length - offset)
      const id = window.job.ids.subarray(place * 32, place * 32 + 32)
      const held = present?.subarray(index * chunkSizeBytes, (index + 1) * chunkSizeBytes) ?? null
      if (held !== null && this.#isRight(held, isSet ? id : null)) counts.keptBytes += length
      else if (isSet) chunks.push({ id, place })
      else addRange(zeros, { offset, length })
    }
    return { chunks, zeros }
  }

  #isRight(held: Uint8Array, id: Uint8Array | null): boolean {
    if (id === null) return isZero(held, this.#zeros)
    const found = new Uint8Array(32)
    this.#options.codec.chunkId(held, found)
    return Buffer.compare(found, id) === 0
  }

  /** Neighbouring chunks are written in one piece, cut at the end of the image. */
  #writePieces(window: Window, chunks: readonly { readonly place: number }[]): Range[] {
    const { chunkSizeBytes } = this.#options
    const pieces: Range[] = []
    for (const { place } of chunks) {
      const offset = window.offset + (place - window.firstPlace) * chunkSizeBytes
      addRange(pieces, { offset, length: Math.min(chunkSizeBytes, window.offset + window.length - offset) })
    }
    return pieces
  }

  #startWrites(
    window: Window,
    filled: { readonly buffer: Uint8Array; readonly pieces: readonly Range[] },
  ): void {
    const writing = this.#write(window, filled)
    this.#writing.add(writing)
    void writing.finally(() => this.#writing.delete(writing))
  }

  /** Never rejects: a failure is kept for whoever asks next. */
  async #write(
    window: Window,
    filled: { readonly buffer: Uint8Array; readonly pieces: readonly Range[] },
  ): Promise<void> {
    try {
      for (const piece of filled.pieces) {
        const at = piece.offset - window.offset
        await this.#options.target.write(filled.buffer.subarray(at, at + piece.length), piece.offset)
      }
    } catch (error) {
      this.#failure ??= { error }
    } finally {
      this.#windows.release(filled.buffer)
    }
  }

  async #zero(range: Range, counts: Counts): Promise<void> {
    await this.#options.target.zero(range)
    counts.zeroedBytes += range.length
  }
}

/** Adds a range that is not before the last; one that touches it is joined. */
function addRange(ranges: Range[], range: Range): void {
  const last = ranges.at(-1)
  if (last !== undefined && last.offset + last.length === range.offset) {
    ranges[ranges.length - 1] = { offset: last.offset, length: last.length + range.length }
  } else {
    ranges.push(range)
  }
}

function isZero(bytes: Uint8Array, zeros: Uint8Array): boolean {
  for (let at = 0; at < bytes.byteLength; at += zeros.byteLength) {
    const piece = bytes.subarray(at, at + zeros.byteLength)
    if (Buffer.compare(piece, zeros.subarray(0, piece.byteLength)) !== 0) return false
  }
  return true
}

function ignore(): void {}
