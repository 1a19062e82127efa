import { DIRECTORY_ENTRY_SIZE } from './pack-format.ts'
import {
  encodeIndexSegment,
  parseIndexSegment,
  SEGMENT_ENTRIES_TARGET,
  type IndexSegment,
  type PackContents,
} from './index-segment.ts'
import { Magic } from './magic.ts'
import { INDEX_PREFIX } from './object-names.ts'
import { fileIdOf, sealFile, type SealingContext } from './sealed-file.ts'
import type { Store } from './store.ts'

export type IndexWriterOptions = {
  readonly store: Store
  readonly sealing: SealingContext
  readonly randomSalt: () => Uint8Array
  /** Told of each segment that is durable. */
  readonly onSegment: (id: string, segment: IndexSegment) => void
}

/**
 * Collects what new packs hold and writes it as index segments. Packs come before their index: their names are
 * made durable before a segment that mentions them is put.
 */
export class IndexWriter {
  readonly #options: IndexWriterOptions
  #pending: PackContents[] = []
  #pendingCount = 0
  #storedBytes = 0

  constructor(options: IndexWriterOptions) {
    this.#options = options
  }

  /** Bytes of the segments that were written. */
  get storedBytes(): number {
    return this.#storedBytes
  }

  /** Takes in a pack that is in the store; writes a segment when enough has come together. */
  async add(pack: PackContents): Promise<void> {
    this.#enqueue(pack)
    if (this.#pendingCount >= SEGMENT_ENTRIES_TARGET) await this.flush()
  }

  /** After it returns every pack that was added is named by a durable segment; when it throws, they wait for the next time. */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return
    const packs = this.#pending
    this.#pending = []
    this.#pendingCount = 0
    try {
      await this.#write(packs)
    } catch (error) {
      for (const pack of packs) this.#enqueue(pack)
      throw error
    }
  }

  #enqueue(pack: PackContents): void {
    this.#pending.push(pack)
    this.#pendingCount += pack.directory.byteLength / DIRECTORY_ENTRY_SIZE
  }

  async #write(packs: readonly PackContents[]): Promise<void> {
    const { store, sealing, randomSalt, onSegment } = this.#options
    const body = encodeIndexSegment(packs)
    const segment = parseIndexSegment(body) // read back before it can be written
    const bytes = sealFile(sealing, { magic: Magic.IndexSegment, salt: randomSalt(), body })
    await store.flush()
    const id = fileIdOf(bytes)
    await store.put(`${INDEX_PREFIX}${id}`, bytes)
    await store.flush()
    this.#storedBytes += bytes.byteLength
    onSegment(id, segment)
  }
}
