import type { Range } from '../domain/range.ts'
import { isPlaceIn, addPlace, MASK_SIZE } from '../mover/leaf-mask.ts'
import type { SealJob, SealOutcome, StoredPack } from '../mover/seal-lanes.ts'
import type { ChunkCodec } from '../repository/chunk-codec.ts'
import type { ChunkLocation } from '../repository/chunk-location.ts'
import type { KnownChunks } from '../repository/known-chunks.ts'
import { PackBuilder, packBufferSize } from '../repository/pack-builder.ts'
import { EntryKind } from '../repository/pack-format.ts'
import type { SealingContext } from '../repository/sealed-file.ts'
import type { Store } from '../repository/store.ts'
import { PLACES } from '../repository/tree-node.ts'
import { BufferPool } from './buffer-pool.ts'
import { PackOutput } from './pack-output.ts'
import { readPieces, type ReadPiece } from './read-pieces.ts'
import { RingMemory } from './ring-memory.ts'

/** One read: large enough for a disk to be at its best, small enough that several fit the lane's memory. */
const PIECE_SIZE_BYTES = 1024 * 1024
/** Of the largest reads so many are under way or waiting to be sealed, in a lane; of small ones, more. */
const PIECES_IN_FLIGHT = 4
/** One pack is filled while the other is written. */
const PACK_BUFFERS = 2

/** An image that a lane reads. */
export type LaneSource = {
  readonly sizeBytes: number
  /** Says that this range will be read soon. */
  willRead?(range: Range): void
  /** Fills `target`; its length is a multiple of the sector size, but for the end of an image file. */
  readInto(target: Uint8Array, offset: number): Promise<void>
  /** Lets go of what it holds on its own, such as connections; a later read takes it up again. */
  close?(): Promise<void>
}

export type SealLaneOptions = {
  readonly store: Store
  readonly sealing: SealingContext
  readonly codec: ChunkCodec
  readonly compress: boolean
  readonly chunkSizeBytes: number
  readonly packSizeBytes: number
  readonly known: KnownChunks
  readonly index: {
    locate(id: Uint8Array): ChunkLocation | null
    isReusable(location: ChunkLocation): boolean
    /** False spares a look-up for every chunk that is as in the base. */
    readonly hasCondemned: boolean
  }
  readonly sources: readonly LaneSource[]
  /** Page-aligned memory. */
  readonly allocate: (bytes: number) => Uint8Array
  readonly randomSalt: () => Uint8Array
  readonly onPack: (pack: StoredPack) => void
}

type PendingRead = { readonly piece: ReadPiece; readonly reading: Promise<Uint8Array> }
type Counts = { readBytes: number; zeroBytes: number; newChunkCount: number; reusedChunkCount: number }

/**
 * A lane reads, tests for zero, names, looks up, compresses, seals and packs chunks, one job after the other;
 * the reads of the next jobs are under way meanwhile. Its memory is fixed when it is made.
 */
export class SealLane {
  readonly #options: SealLaneOptions
  readonly #reads: RingMemory
  readonly #pieceSizeBytes: number
  readonly #output: PackOutput
  readonly #zeros: Uint8Array
  readonly #sources: LaneSource[]
  readonly #id = new Uint8Array(32)
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: SealLaneOptions) {
    this.#options = options
    const { chunkSizeBytes, packSizeBytes, allocate, sealing, codec, compress, randomSalt } = options
    this.#pieceSizeBytes = Math.max(PIECE_SIZE_BYTES, chunkSizeBytes)
    const reads = chunkSizeBytes > PIECE_SIZE_BYTES ? PACK_BUFFERS : PIECES_IN_FLIGHT
    this.#reads = new RingMemory(allocate(reads * this.#pieceSizeBytes))
    const packSize = packBufferSize({ packSizeBytes, chunkSizeBytes })
    this.#output = new PackOutput({
      store: options.store,
      builder: new PackBuilder({ sealing, codec, compress, randomSalt }),
      buffers: new BufferPool(Array.from({ length: PACK_BUFFERS }, () => allocate(packSize))),
      packSizeBytes,
      onPack: options.onPack,
    })
    this.#zeros = new Uint8Array(chunkSizeBytes)
    this.#sources = [...options.sources]
  }

  /** Jobs may be given without waiting; they are done in the order in which they came. */
  async seal(job: SealJob): Promise<SealOutcome> {
    const source = this.#sourceOf(job)
    const { chunkSizeBytes } = this.#options
    const limits = { chunkSizeBytes, pieceSizeBytesMax: this.#pieceSizeBytes, sizeBytes: source.sizeBytes }
    const pieces = readPieces(job, limits)
    for (const piece of pieces) source.willRead?.(piece)
    const reads = pieces.map((piece) => this.#startRead(source, piece))
    const outcome = this.#tail.then(() => this.#sealPieces(job, reads))
    this.#tail = outcome.catch(ignore)
    return await outcome
  }

  /** Jobs that come from now on read this source by that number. */
  replaceSource(number: number, source: LaneSource): void {
    this.#sources[number] = source
  }

  async drain(): Promise<void> {
    await this.#tail
    await this.#output.drain()
    for (const source of this.#sources) await source.close?.()
  }

  #sourceOf(job: SealJob): LaneSource {
    const source = this.#sources[job.source]
    if (source === undefined) throw new RangeError(`lane has no source ${job.source}`)
    return source
  }

  #startRead(source: LaneSource, piece: ReadPiece): PendingRead {
    const reading = this.#read(source, piece)
    reading.catch(ignore) // It is awaited in its turn.
    return { piece, reading }
  }

  /** Buffers are given in the order of the jobs, and released in that order: no job waits for a later one. */
  async #read(source: LaneSource, piece: ReadPiece): Promise<Uint8Array> {
    const end = piece.placeCount * this.#options.chunkSizeBytes
    const buffer = await this.#reads.acquire(end)
    try {
      await source.readInto(buffer.subarray(0, piece.length), piece.offset)
    } catch (error) {
      this.#reads.release(buffer)
      throw error
    }
    // The last chunk of an image is filled up with zeros: every chunk has the same size.
    if (piece.length < end) buffer.fill(0, piece.length, end)
    return buffer
  }

  async #sealPieces(job: SealJob, reads: readonly PendingRead[]): Promise<SealOutcome> {
    const set = new Uint8Array(MASK_SIZE)
    const ids = new Uint8Array(PLACES * 32)
    const counts: Counts = { readBytes: 0, zeroBytes: 0, newChunkCount: 0, reusedChunkCount: 0 }
    let done = 0
    try {
      for (const { piece, reading } of reads) {
        const buffer = await reading
        done += 1
        try {
          await this.#sealPiece({ job, piece, buffer, set, ids, counts })
        } finally {
          this.#reads.release(buffer)
        }
      }
    } finally {
      for (const { reading } of reads.slice(done))
        await reading.then((buffer) => this.#reads.release(buffer), ignore)
    }
    return { set, ids, ...counts }
  }

  async #sealPiece(work: {
    readonly job: SealJob
    readonly piece: ReadPiece
    readonly buffer: Uint8Array
    readonly set: Uint8Array
    readonly ids: Uint8Array
    readonly counts: Counts
  }): Promise<void> {
    const { job, piece, buffer, counts } = work
    const { chunkSizeBytes } = this.#options
    counts.readBytes += piece.length
    for (let index = 0; index < piece.placeCount; index += 1) {
      const place = piece.firstPlace + index
      const plaintext = buffer.subarray(index * chunkSizeBytes, (index + 1) * chunkSizeBytes)
      if (Buffer.compare(plaintext, this.#zeros) === 0) {
        counts.zeroBytes += Math.min(chunkSizeBytes, piece.length - index * chunkSizeBytes)
        continue
      }
      const id = this.#id
      this.#options.codec.chunkId(plaintext, id)
      addPlace(work.set, place)
      work.ids.set(id, place * 32)
      if (isUnchanged(job, place, id) && !this.#isFenced(id)) continue
      if (this.#isKnown(id)) {
        counts.reusedChunkCount += 1
        continue
      }
      counts.newChunkCount += 1
      await this.#output.add({ id, kind: EntryKind.Chunk, plaintext })
    }
  }

  /** True when this run stores the chunk already, or the repository has it. */
  #isKnown(id: Uint8Array): boolean {
    const { known, index } = this.#options
    if (!known.claim(id)) return true
    const location = index.locate(id)
    return location !== null && index.isReusable(location)
  }

  /** True when the base's copy lies in a condemned pack: the chunk is then stored again, which heals it. */
  #isFenced(id: Uint8Array): boolean {
    const { index } = this.#options
    if (!index.hasCondemned) return false
    const location = index.locate(id)
    return location === null || !index.isReusable(location)
  }
}

function isUnchanged(job: SealJob, place: number, id: Uint8Array): boolean {
  if (job.base === null || !isPlaceIn(job.base.set, place)) return false
  return Buffer.compare(job.base.ids.subarray(place * 32, place * 32 + 32), id) === 0
}

function ignore(): void {}
