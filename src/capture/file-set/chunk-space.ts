import type { BinRecord } from '../../formats/file-set/catalogue-index.ts'
import type { FileSetIndex } from '../../formats/file-set/read-index.ts'
import type { Segment } from '../../formats/file-set/segments.ts'

/** More than half of the image unused, and it is laid out anew. */
const UNUSED_SHARE_MAX = 0.5
const UNUSED_CHUNKS_SPARED = 64

/**
 * Which chunks of the image the bins and their contents take. A bin that the file set before had keeps its chunks, so
 * that what did not change lies where it lay: the tree of the image is then the same there, too. What is new comes at
 * the end.
 */
export class ChunkSpace {
  readonly #before = new Map<string, BinRecord>()
  #end = 1
  /** The header's chunk, and what was taken. */
  #usedCount = 1

  constructor(before: FileSetIndex | null) {
    if (before === null) return
    const { chunkSizeBytes, imageSizeBytes, usedChunkCount } = before.header
    const chunkCount = imageSizeBytes / chunkSizeBytes
    if (chunkCount - usedChunkCount > UNUSED_SHARE_MAX * chunkCount + UNUSED_CHUNKS_SPARED) return
    this.#end = chunkCount
    for (const bin of before.bins) this.#before.set(textOf(bin.key), bin)
  }

  /** How many chunks the image has. */
  get chunkCount(): number {
    return this.#end
  }

  get usedCount(): number {
    return this.#usedCount
  }

  /** For a bin whose first entry has `key`. */
  openBin(key: Uint8Array): BinSpace {
    const text = textOf(key)
    const before = this.#before.get(text)
    // Chunks are given away once.
    this.#before.delete(text)
    return new BinSpace((taken) => this.#take(taken), before ?? null)
  }

  /** Chunks at the end. */
  takeAtEnd(count: number): Segment {
    const position = this.#take({ count, from: null })
    return { position, count }
  }

  #take({ count, from }: TakenChunks): number {
    this.#usedCount += count
    if (from !== null) return from
    this.#end += count
    return this.#end - count
  }
}

/** Chunks that are in use from now on; `from` is where they lie, null for the end of the image. */
type TakenChunks = { readonly count: number; readonly from: number | null }

/** The chunks of one bin. */
export class BinSpace {
  readonly #take: (taken: TakenChunks) => number
  readonly #before: BinRecord | null
  readonly #spare: { position: number; count: number }[]
  readonly #contents: { position: number; count: number }[] = []
  #count = 0

  constructor(take: (taken: TakenChunks) => number, before: BinRecord | null) {
    this.#take = take
    this.#before = before
    this.#spare = before === null ? [] : before.contents.map((segment) => ({ ...segment })).toReversed()
  }

  get contents(): readonly Segment[] {
    return this.#contents
  }

  /** Makes sure that the contents have that many chunks. */
  growContents(count: number): void {
    while (this.#count < count) {
      const wanted = count - this.#count
      const spare = this.#spare.at(-1)
      const taken = spare === undefined ? wanted : Math.min(wanted, spare.count)
      const position = this.#take({ count: taken, from: spare?.position ?? null })
      if (spare !== undefined) {
        spare.position += taken
        spare.count -= taken
        if (spare.count === 0) this.#spare.pop()
      }
      const last = this.#contents.at(-1)
      if (last !== undefined && last.position + last.count === position) last.count += taken
      else this.#contents.push({ position, count: taken })
      this.#count += taken
    }
  }

  /** Where the bin itself lies. */
  takeBin(count: number): Segment {
    const before = this.#before?.place
    const from = before !== undefined && before.count >= count ? before.position : null
    return { position: this.#take({ count, from }), count }
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
