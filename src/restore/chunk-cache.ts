import { isBackupError } from '../domain/backup-error.ts'

/** A chunk to bring: its id and the memory that it goes to, of a chunk's size. */
export type ChunkSlot = { readonly id: Uint8Array; readonly slot: Uint8Array }

/** Brings stored chunks into memory and verifies them; throws CHUNK_MISSING or CHUNK_DAMAGED. One call at a time. */
export type ChunkSource = { bring(wanted: readonly ChunkSlot[]): Promise<void> }

export type ChunkCacheOptions = {
  readonly source: ChunkSource
  readonly chunkSizeBytes: number
  readonly memoryBytes: number
}

/** A few hundred chunks of the usual size: what several trees and one file need at a time. */
export const CHUNK_CACHE_BYTES = 32 * 1024 * 1024

/** Chunks that were asked for, in the same order. Their memory is theirs until this is disposed of. */
export type BroughtChunks = Disposable & { readonly chunks: readonly Promise<Uint8Array>[] }

type Chunk = {
  readonly slot: Uint8Array
  readonly filled: Promise<Uint8Array>
  /** Who fills it or looks at it. */
  userCount: number
  isKept: boolean
}

/**
 * Chunks that were used last, opened. By id: what two points share is opened once. Do not change what it gives. The
 * memory of those that had to go is used again.
 */
export class ChunkCache {
  readonly #options: ChunkCacheOptions
  readonly #countMax: number
  /** In the order of their last use, the oldest first. */
  readonly #chunks = new Map<string, Chunk>()
  readonly #freeSlots: Uint8Array[] = []
  #tail: Promise<void> = Promise.resolve()

  constructor(options: ChunkCacheOptions) {
    this.#options = options
    this.#countMax = Math.max(2, Math.floor(options.memoryBytes / options.chunkSizeBytes))
  }

  /** How many chunks one call of `bring` may ask for without driving out its own. */
  get countMax(): number {
    return this.#countMax
  }

  /** The chunks of these ids; those that are not at hand are fetched together. */
  bring(ids: readonly Uint8Array[]): BroughtChunks {
    const missing: { readonly id: Uint8Array; readonly key: string }[] = []
    const pending = new Set<string>()
    for (const id of ids) {
      const key = keyOf(id)
      // What is at hand counts as used before anything new could drive it out.
      if (this.#chunks.has(key)) this.#use(key)
      else if (!pending.has(key)) missing.push({ id, key })
      pending.add(key)
    }
    if (missing.length > 0) this.#fetch(missing)
    const brought = ids.map((id) => this.#use(keyOf(id)))
    for (const chunk of brought) chunk.userCount += 1
    return {
      chunks: brought.map(({ filled }) => filled),
      [Symbol.dispose]: () => {
        for (const chunk of brought.splice(0)) this.#leave(chunk)
      },
    }
  }

  #use(key: string): Chunk {
    const found = this.#chunks.get(key)
    if (found === undefined) throw new RangeError('more chunks were asked for than the cache holds')
    this.#chunks.delete(key)
    this.#chunks.set(key, found)
    return found
  }

  #fetch(missing: readonly { readonly id: Uint8Array; readonly key: string }[]): void {
    const { chunkSizeBytes } = this.#options
    const slots = missing.map(({ id }) => ({
      id,
      slot: this.#freeSlots.pop() ?? new Uint8Array(chunkSizeBytes),
    }))
    const done = this.#tail.then(() => this.#fill(slots))
    this.#tail = done.then(ignore, ignore)
    for (const [index, { key }] of missing.entries()) {
      const slot = slots[index]?.slot ?? new Uint8Array(0)
      const filled = done.then(async (outcomes) => {
        await outcomes[index]
        return slot
      })
      const chunk = { slot, filled, userCount: 1, isKept: true }
      // Who waits for it hears of the failure; the next one to ask tries again.
      filled.catch(() => this.#forget(key, chunk)).finally(() => this.#leave(chunk))
      this.#chunks.set(key, chunk)
    }
    for (const [key, oldest] of this.#chunks) {
      if (this.#chunks.size <= this.#countMax) break
      this.#forget(key, oldest)
    }
  }

  #forget(key: string, chunk: Chunk): void {
    if (this.#chunks.get(key) === chunk) this.#chunks.delete(key)
    if (!chunk.isKept) return
    chunk.isKept = false
    this.#reuse(chunk)
  }

  #leave(chunk: Chunk): void {
    chunk.userCount -= 1
    this.#reuse(chunk)
  }

  /** Memory of a chunk that went and that nobody looks at. */
  #reuse({ slot, userCount, isKept }: Chunk): void {
    if (userCount === 0 && !isKept && this.#freeSlots.length < this.#countMax) this.#freeSlots.push(slot)
  }

  /** One damaged chunk must not take those with it that were fetched in the same reads. */
  async #fill(slots: readonly ChunkSlot[]): Promise<readonly Promise<void>[]> {
    const { source } = this.#options
    try {
      await source.bring(slots)
      return []
    } catch (error) {
      if (slots.length === 1 || !isBackupError(error)) throw error
    }
    const outcomes: Promise<void>[] = []
    for (const slot of slots) {
      const outcome = source.bring([slot])
      outcomes.push(outcome)
      await outcome.catch(ignore)
    }
    return outcomes
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')
}

function ignore(): void {}
