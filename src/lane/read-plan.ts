import type { ChunkLocation } from '../repository/chunk-location.ts'
import { chunkMissing } from '../repository/node-reader.ts'

/** A chunk that is wanted, and the place of the window that it belongs to. */
export type WantedChunk = {
  readonly id: Uint8Array
  readonly place: number
  readonly location: ChunkLocation
}

/** Neighbouring stored bytes of one pack that one read fetches. */
export type StoredRun = {
  readonly packId: string
  readonly offset: number
  readonly length: number
  readonly chunks: readonly WantedChunk[]
}

/** Bytes between two chunks that are cheaper to read than to skip. */
const GAP_MAX_BYTES = 64 * 1024

/** Finds where chunks lie and joins neighbours into reads. Throws CHUNK_MISSING. */
export function planReads(
  wanted: readonly { readonly id: Uint8Array; readonly place: number }[],
  options: { readonly locate: (id: Uint8Array) => ChunkLocation | null; readonly readSizeBytesMax: number },
): StoredRun[] {
  const chunks = wanted.map(({ id, place }) => {
    const location = options.locate(id)
    if (location === null) throw chunkMissing(id, 'chunk')
    return { id, place, location }
  })
  chunks.sort(byLocation)
  const runs: StoredRun[] = []
  let run: WantedChunk[] = []
  for (const chunk of chunks) {
    if (run.length > 0 && !isNear(run, chunk, options.readSizeBytesMax)) {
      runs.push(storedRun(run))
      run = []
    }
    run.push(chunk)
  }
  if (run.length > 0) runs.push(storedRun(run))
  return runs
}

function byLocation(a: WantedChunk, b: WantedChunk): number {
  if (a.location.packId !== b.location.packId) return a.location.packId < b.location.packId ? -1 : 1
  return a.location.offset - b.location.offset
}

function isNear(run: readonly WantedChunk[], chunk: WantedChunk, readSizeBytesMax: number): boolean {
  const first = run[0]?.location
  const last = run.at(-1)?.location
  if (first === undefined || last === undefined || first.packId !== chunk.location.packId) return false
  const end = chunk.location.offset + chunk.location.storedSize
  return (
    chunk.location.offset - (last.offset + last.storedSize) <= GAP_MAX_BYTES &&
    end - first.offset <= readSizeBytesMax
  )
}

function storedRun(chunks: readonly WantedChunk[]): StoredRun {
  const first = chunks[0]
  if (first === undefined) throw new RangeError('a run has at least one chunk')
  const { packId, offset } = first.location
  const end = Math.max(...chunks.map(({ location }) => location.offset + location.storedSize))
  return { packId, offset, length: end - offset, chunks }
}
