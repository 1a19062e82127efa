import assert from 'node:assert/strict'
import type { Extent, ExtentBatch } from '../domain/extent.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import { endOf, type Range } from '../domain/range.ts'
import type { PointObject } from '../domain/recovery-point.ts'
import type { NodeReader } from '../repository/node-reader.ts'
import { treeShape } from '../repository/tree-shape.ts'
import type { BroughtChunks, ChunkCache } from './chunk-cache.ts'
import { ChunkMap, type ChunkRun } from './chunk-map.ts'
import { ReadAhead } from './read-ahead.ts'

/** Chunks are fetched together up to this much: fewer and larger reads. */
const FETCH_BYTES_MAX = 2 * 1024 * 1024
const BATCH_LENGTH = 4096
/** Nothing about a repository is in sectors; readers of file systems expect at least these. */
const SECTOR_SIZE_BYTES = 512

export type PointImageParts = {
  readonly nodes: NodeReader
  readonly chunkSizeBytes: number
  /** May be shared by the images of one repository. */
  readonly chunks: ChunkCache
}

/**
 * An object of a recovery point as an image. Only the chunks that are read are fetched, each verified. In its map,
 * what is stored lies on device 0 at its own offset; the rest is zeros. Any range can be read. It borrows: to
 * dispose of it leaves the repository open.
 */
export function pointImage(
  object: Pick<PointObject, 'sizeBytes' | 'root'>,
  parts: PointImageParts,
): FrozenImage {
  const { chunkSizeBytes, nodes } = parts
  const { sizeBytes } = object
  const shape = treeShape({ sizeBytes, chunkSizeBytes })
  const map = new ChunkMap({ root: object.root, shape }, nodes)
  const reader = new PointReader(map, parts, shape.chunkCount)
  return {
    sizeBytes,
    sectorSizeBytes: SECTOR_SIZE_BYTES,
    extents: (range, signal) => {
      assert(range.offset >= 0 && endOf(range) <= sizeBytes)
      const first = Math.floor(range.offset / chunkSizeBytes)
      const count = Math.ceil(endOf(range) / chunkSizeBytes) - first
      return extentsOf(map.runs(first, count, signal), { range, chunkSizeBytes })
    },
    readInto: (target, offset) => {
      assert(offset >= 0 && offset + target.byteLength <= sizeBytes)
      return reader.readInto(target, offset)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function* extentsOf(
  runs: AsyncIterable<ChunkRun>,
  within: { readonly range: Range; readonly chunkSizeBytes: number },
): AsyncGenerator<ExtentBatch> {
  const { range, chunkSizeBytes } = within
  let batch: Extent[] = []
  for await (const run of runs) {
    const offset = Math.max(range.offset, run.first * chunkSizeBytes)
    const length = Math.min(endOf(range), (run.first + run.count) * chunkSizeBytes) - offset
    batch.push(
      run.isSet
        ? { kind: 'data', offset, length, device: 0, physicalOffset: offset }
        : { kind: 'zero', offset, length },
    )
    if (batch.length < BATCH_LENGTH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

class PointReader {
  readonly #map: ChunkMap
  readonly #chunks: ChunkCache
  readonly #chunkSizeBytes: number
  readonly #chunkCount: number
  /** Chunks that are fetched together. */
  readonly #fetchCountMax: number
  readonly #ahead: ReadAhead

  constructor(map: ChunkMap, parts: PointImageParts, chunkCount: number) {
    this.#map = map
    this.#chunks = parts.chunks
    this.#chunkSizeBytes = parts.chunkSizeBytes
    this.#chunkCount = chunkCount
    const together = Math.min(parts.chunks.countMax / 2, FETCH_BYTES_MAX / parts.chunkSizeBytes)
    this.#fetchCountMax = Math.max(1, Math.floor(together))
    this.#ahead = new ReadAhead(this.#fetchCountMax)
  }

  async readInto(target: Uint8Array, offset: number): Promise<void> {
    const size = this.#chunkSizeBytes
    const end = Math.ceil((offset + target.byteLength) / size)
    for (let first = Math.floor(offset / size); first < end; first += this.#fetchCountMax) {
      const stop = Math.min(end, first + this.#fetchCountMax)
      const ids = await this.#ids(first, stop)
      using brought = this.#chunks.bring(ids.filter((id) => id !== null))
      const chunks = await this.#settled(brought, first, stop)
      let next = 0
      for (const [index, id] of ids.entries()) {
        const at = (first + index) * size - offset
        const from = Math.max(0, -at)
        const length = Math.min(size, target.byteLength - at) - from
        if (id === null) {
          target.fill(0, at + from, at + from + length)
          continue
        }
        const chunk = chunks[next]
        assert(chunk !== undefined)
        next += 1
        target.set(chunk.subarray(from, from + length), at + from)
      }
    }
  }

  /** The chunks from `first` to before `stop`; what probably comes next is fetched meanwhile. */
  async #settled({ chunks }: BroughtChunks, first: number, stop: number): Promise<readonly Uint8Array[]> {
    // All are awaited, whichever fails first: none may be left alone.
    const awaited = Promise.allSettled(chunks)
    const ahead = this.#ahead.next(first, stop)
    if (ahead > 0) await this.#fetchAhead(stop, Math.min(this.#chunkCount, stop + ahead))
    return (await awaited).map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
  }

  /** A failure is nobody's yet: who comes to need the chunk will meet it. */
  async #fetchAhead(first: number, stop: number): Promise<void> {
    try {
      const ids = await this.#ids(first, stop)
      using brought = this.#chunks.bring(ids.filter((id) => id !== null))
      for (const chunk of brought.chunks) chunk.catch(ignore)
    } catch {
      // As above.
    }
  }

  async #ids(first: number, stop: number): Promise<(Uint8Array | null)[]> {
    const ids: (Uint8Array | null)[] = []
    for (let position = first; position < stop; position += 1) ids.push(await this.#map.idAt(position))
    return ids
  }
}

function ignore(): void {}
