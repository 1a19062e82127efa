import type { FrozenImage } from '../../domain/frozen-image.ts'
import { BatchCollector } from '../../extents/batch-collector.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError } from '../format-error.ts'
import { ExceptionCensus, WINDOW_LENGTH_MAX, WindowExceptions } from './exception-windows.ts'
import { STORE_HEADER_BYTES } from './layout.ts'
import { parseStoreHeader } from './store-header.ts'
import { walkExceptions, type StoreGeometry } from './stored-exceptions.ts'

/** Chunks of the origin that follow one another, whose copies follow one another in the store. */
export type ExceptionRun = {
  readonly originChunk: number
  readonly storeChunk: number
  readonly chunkCount: number
}

export type ExceptionOptions = {
  /** Of the snapshot, which is the size that its origin had when it was made. */
  readonly sizeBytes: number
  /** How many exceptions are sorted in memory at once; the store is walked once for each such window. */
  readonly windowLengthMax?: number
}

/** The persistent store of a classic snapshot, on a frozen image of the volume that holds it. */
export class ExceptionStore {
  readonly chunkSizeBytes: number
  readonly #image: FrozenImage

  private constructor(image: FrozenImage, chunkSizeBytes: number) {
    this.#image = image
    this.chunkSizeBytes = chunkSizeBytes
  }

  /** Throws UnmappedError for a snapshot that was lost, FormatError for what is no store. It borrows the image. */
  static async open(image: FrozenImage): Promise<ExceptionStore> {
    const bytes = await readBytes(image, 0, Math.min(STORE_HEADER_BYTES, image.sizeBytes))
    return new ExceptionStore(image, parseStoreHeader(bytes).chunkSizeBytes)
  }

  /** All exceptions, ascending by the chunk of the origin, in the fewest runs. */
  async *exceptions(
    { sizeBytes, windowLengthMax = WINDOW_LENGTH_MAX }: ExceptionOptions,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ExceptionRun[]> {
    const { chunkSizeBytes } = this
    const geometry = { chunkSizeBytes, originChunkCount: Math.ceil(sizeBytes / chunkSizeBytes) }
    const census = new ExceptionCensus(geometry.originChunkCount, windowLengthMax)
    await walkExceptions(this.#image, geometry, { visit: (chunk) => census.add(chunk), signal })
    const windows = census.windows()
    if (windows === null) throw this.#repeated()
    const out = new BatchCollector(joinRuns)
    let last = -1
    for (const window of windows) {
      const exceptions = new WindowExceptions(window)
      await this.#gather(exceptions, geometry, signal)
      for (const [originChunk, storeChunk] of exceptions.sorted()) {
        if (originChunk === last) throw this.#repeated(originChunk)
        last = originChunk
        out.add({ originChunk, storeChunk, chunkCount: 1 })
        if (out.isFull) yield out.take()
      }
    }
    yield* out.rest()
  }

  async #gather(exceptions: WindowExceptions, geometry: StoreGeometry, signal: AbortSignal): Promise<void> {
    await walkExceptions(this.#image, geometry, {
      visit: (originChunk, storeChunk) => exceptions.add(originChunk, storeChunk),
      signal,
    })
  }

  #repeated(chunk?: number): FormatError {
    const place = { structure: 'dm-snapshot exception area', offsetBytes: this.chunkSizeBytes }
    const which = chunk === undefined ? 'some chunk' : `chunk ${chunk}`
    return new FormatError(place, `${which} of the origin has two exceptions`)
  }
}

function joinRuns(last: ExceptionRun, next: ExceptionRun): ExceptionRun | null {
  const { originChunk, storeChunk, chunkCount } = last
  const follows = next.originChunk === originChunk + chunkCount && next.storeChunk === storeChunk + chunkCount
  return follows ? { originChunk, storeChunk, chunkCount: chunkCount + next.chunkCount } : null
}
