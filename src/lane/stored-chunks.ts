import { isBackupError } from '../domain/backup-error.ts'
import type { ChunkLocation } from '../repository/chunk-location.ts'
import type { PackReader } from '../repository/pack-reader.ts'
import { planReads, type StoredRun, type WantedChunk } from './read-plan.ts'

const READ_SIZE_BYTES = 2 * 1024 * 1024
/** The next read is under way while this one is opened. */
const READ_BUFFERS = 2

export type StoredChunksOptions = {
  readonly packs: PackReader
  readonly index: {
    locate(id: Uint8Array): ChunkLocation | null
    locateAll(id: Uint8Array): Iterable<ChunkLocation>
  }
  readonly chunkSizeBytes: number
  readonly allocate: (bytes: number) => Uint8Array
}

/** A chunk to bring: its id and the memory that it goes to, of a chunk's size. */
export type ChunkSlot = { readonly id: Uint8Array; readonly slot: Uint8Array }

/** Stored bytes of a run with the key of their pack, or why they could not be read. */
type ReadRun = { readonly stored: Uint8Array; readonly key: Uint8Array | null } | { readonly error: unknown }

/** Brings chunks from packs into memory, verified, in as few reads as their places allow. */
export class StoredChunks {
  readonly #options: StoredChunksOptions
  readonly #buffers: readonly Uint8Array[]

  constructor(options: StoredChunksOptions) {
    this.#options = options
    const size = Math.max(READ_SIZE_BYTES, options.chunkSizeBytes + 4096)
    this.#buffers = Array.from({ length: READ_BUFFERS }, () => options.allocate(size))
  }

  /** Throws CHUNK_MISSING or CHUNK_DAMAGED for what no pack has whole; the slots then hold nothing of worth. */
  async fill(wanted: readonly ChunkSlot[]): Promise<void> {
    const readSizeBytesMax = this.#buffers[0]?.byteLength ?? 0
    const places = wanted.map(({ id }, place) => ({ id, place }))
    const runs = planReads(places, { locate: (id) => this.#options.index.locate(id), readSizeBytesMax })
    let reading = this.#startRead(runs, 0)
    for (const [number, run] of runs.entries()) {
      const read = await reading
      reading = this.#startRead(runs, number + 1)
      await this.#openRun(run, read, wanted)
    }
    await reading
  }

  /** Never rejects: what failed is looked for in other packs when its turn comes. */
  async #startRead(runs: readonly StoredRun[], number: number): Promise<ReadRun> {
    const run = runs[number]
    const buffer = this.#buffers[number % READ_BUFFERS]
    if (run === undefined || buffer === undefined) return { error: null }
    const stored = buffer.subarray(0, run.length)
    try {
      await this.#options.packs.readInto(run.packId, stored, run.offset)
      return { stored, key: await this.#options.packs.keyOf(run.packId) }
    } catch (error) {
      return { error }
    }
  }

  async #openRun(run: StoredRun, read: ReadRun, wanted: readonly ChunkSlot[]): Promise<void> {
    // The same chunk in several places: its stored bytes are opened where they lie, and are then no more.
    const opened = new Map<number, Uint8Array>()
    for (const chunk of run.chunks) {
      const slot = wanted[chunk.place]?.slot ?? new Uint8Array(0)
      const twin = opened.get(chunk.location.offset)
      if (twin === undefined) await this.#open({ chunk, run, read }, slot)
      else slot.set(twin)
      opened.set(chunk.location.offset, slot)
    }
  }

  async #open(what: { chunk: WantedChunk; run: StoredRun; read: ReadRun }, slot: Uint8Array): Promise<void> {
    const { chunk, run, read } = what
    try {
      if ('error' in read) throw read.error
      const at = chunk.location.offset - run.offset
      const stored = read.stored.subarray(at, at + chunk.location.storedSize)
      this.#options.packs.openInto({ id: chunk.id, place: chunk.location, key: read.key, stored }, slot)
    } catch (error) {
      await this.#openElsewhere(chunk, slot, error)
    }
  }

  /** A damaged chunk may lie whole in another pack; if none has it, the first error is the one to report. */
  async #openElsewhere(chunk: WantedChunk, slot: Uint8Array, cause: unknown): Promise<void> {
    const { index, packs } = this.#options
    if (!isBackupError(cause)) throw cause
    for (const place of index.locateAll(chunk.id)) {
      if (place.packId === chunk.location.packId && place.offset === chunk.location.offset) continue
      try {
        const stored = await packs.readStored(place)
        packs.openInto({ id: chunk.id, place, key: await packs.keyOf(place.packId), stored }, slot)
        return
      } catch (error) {
        if (!isBackupError(error)) throw error
      }
    }
    throw cause
  }
}
