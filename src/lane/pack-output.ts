import type { StoredPack } from '../mover/seal-lanes.ts'
import type { PackBuilder, FinishedPack } from '../repository/pack-builder.ts'
import type { EntryKind } from '../repository/pack-format.ts'
import { packName } from '../repository/object-names.ts'
import type { Store } from '../repository/store.ts'
import type { BufferPool } from './buffer-pool.ts'

export type PackOutputOptions = {
  readonly store: Store
  readonly builder: PackBuilder
  readonly buffers: BufferPool
  readonly packSizeBytes: number
  readonly onPack: (pack: StoredPack) => void
}

/** Fills packs and stores them; while one is on its way to the disk the next is filled. */
export class PackOutput {
  readonly #options: PackOutputOptions
  readonly #storing = new Set<Promise<void>>()
  #buffer: Uint8Array | null = null
  #failure: { readonly error: unknown } | null = null

  constructor(options: PackOutputOptions) {
    this.#options = options
  }

  /** Adds a chunk; returns the bytes that it takes. Throws what an earlier pack failed with. */
  async add(entry: { id: Uint8Array; kind: EntryKind; plaintext: Uint8Array }): Promise<number> {
    const { builder, packSizeBytes } = this.#options
    this.#throwFailure()
    const isFull = builder.length >= packSizeBytes || !builder.hasRoomFor(entry.plaintext.byteLength)
    if (builder.length > 0 && isFull) this.#finish()
    if (builder.length === 0) await this.#begin()
    return builder.add(entry)
  }

  /** Stores what was begun and waits until every pack is in the store. */
  async drain(): Promise<void> {
    if (this.#options.builder.length > 0) this.#finish()
    await Promise.all(this.#storing)
    this.#throwFailure()
  }

  async #begin(): Promise<void> {
    this.#buffer = await this.#options.buffers.acquire()
    this.#throwFailure()
    this.#options.builder.begin(this.#buffer)
  }

  #finish(): void {
    const storing = this.#store(this.#options.builder.finish(), this.#buffer)
    this.#buffer = null
    this.#storing.add(storing)
    void storing.finally(() => this.#storing.delete(storing))
  }

  /** Never rejects: a failure is kept for whoever asks next. */
  async #store(pack: FinishedPack, buffer: Uint8Array | null): Promise<void> {
    const { store, buffers, onPack } = this.#options
    try {
      try {
        await store.put(packName(pack.id), pack.bytes)
      } finally {
        if (buffer !== null) buffers.release(buffer)
      }
      // The index must not name what a power cut can take away, and no other thread knows what was put here.
      await store.flush()
      onPack({ packId: pack.id, directory: pack.directory, sizeBytes: pack.bytes.byteLength })
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}
