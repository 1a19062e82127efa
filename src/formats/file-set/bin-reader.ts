import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError } from '../format-error.ts'
import { parseBin, type Bin } from './bin.ts'
import type { BinRecord } from './catalogue-index.ts'
import type { FileSetIndex } from './read-index.ts'
import { compareBytes } from './sort-key.ts'

/** Decoded bins that are kept: each takes some megabytes at most. */
const BINS_KEPT = 6

/** A bin with its place in the index. */
export type OpenBin = Bin & {
  readonly index: number
  readonly record: BinRecord
  readonly offsetBytes: number
}

/** Reads the bins of a catalogue, and keeps the last ones. */
export class BinReader {
  readonly #image: FrozenImage
  readonly #index: FileSetIndex
  /** In the order of their last use, the oldest first. */
  readonly #kept = new Map<number, Promise<OpenBin>>()

  constructor(image: FrozenImage, index: FileSetIndex) {
    this.#image = image
    this.#index = index
  }

  get count(): number {
    return this.#index.bins.length
  }

  /** Throws FormatError. */
  open(index: number): Promise<OpenBin> {
    const known = this.#kept.get(index)
    if (known !== undefined) {
      this.#kept.delete(index)
      this.#kept.set(index, known)
      return known
    }
    const opened = this.#read(index)
    this.#kept.set(index, opened)
    // What could not be read is asked for again; who waits for it hears of the failure.
    opened.catch(() => this.#kept.delete(index))
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= BINS_KEPT) break
      this.#kept.delete(oldest)
    }
    return opened
  }

  /** The last bin whose first key is at most `key`; the first one for a key before all. */
  find(key: Uint8Array): number {
    let low = 0
    let high = this.#index.bins.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (compareBytes(this.keyOf(middle), key) <= 0) low = middle
      else high = middle
    }
    return low
  }

  /** The key of a bin's first entry; empty behind the last bin. */
  keyOf(index: number): Uint8Array {
    return this.#index.bins[index]?.key ?? new Uint8Array(0)
  }

  async #read(index: number): Promise<OpenBin> {
    const { chunkSizeBytes } = this.#index.header
    const record = this.#index.bins[index]
    if (record === undefined) {
      const place = { structure: `file set bin ${index}`, offsetBytes: 0 }
      throw new FormatError(place, `there are ${this.#index.bins.length} bins`)
    }
    const offsetBytes = record.place.position * chunkSizeBytes
    const place = { structure: `file set bin ${index}`, offsetBytes }
    const bytes = await readBytes(this.#image, offsetBytes, record.place.count * chunkSizeBytes)
    const bin = parseBin(bytes, place, chunkSizeBytes)
    const room = record.contents.reduce((sum, { count }) => sum + count, 0)
    if (bin.chunkCount > room) {
      throw new FormatError(place, `its contents take ${bin.chunkCount} chunks, the index has ${room}`)
    }
    return { ...bin, index, record, offsetBytes }
  }
}
