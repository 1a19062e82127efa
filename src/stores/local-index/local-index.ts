import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import type { ChunkLocation, ChunkLocator } from '../../repository/chunk-location.ts'
import type { IndexSegment } from '../../repository/index-segment.ts'
import { mergeRuns } from './merge-runs.ts'
import { closeRun, openRun, runPackIds, RunReader, runSources, type RunHandle } from './run-reader.ts'
import { writeRun } from './write-run.ts'

/** A look-up asks every run: more than this many are merged into one. */
const RUNS_MAX = 8
/** The largest runs are left alone when the small ones are merged, so that a merge costs what is new. */
const RUNS_KEPT = 3

/**
 * The index on this machine: a disposable copy of the repository's index segments, arranged for look-ups. Its
 * memory is the fences: a tenth of a byte for each chunk. Everything in it can be deleted at any time between
 * two commands; it is then made again from the repository.
 */
export class LocalIndex implements Disposable {
  readonly #folder: string
  #runs: RunHandle[]

  private constructor(folder: string, runs: RunHandle[]) {
    this.#folder = folder
    this.#runs = runs
  }

  /** Opens what `folder` holds of the segments `wanted`; whatever else is there is removed. */
  static open(folder: string, wanted: ReadonlySet<string>): LocalIndex {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const runs: RunHandle[] = []
    const covered = new Set<string>()
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      const run = name.endsWith('.run') ? openRun(path) : null
      const sources = run === null ? [] : runSources(run)
      const useful = run !== null && sources.every((source) => wanted.has(source) && !covered.has(source))
      if (run === null || !useful) {
        if (run !== null) closeRun(run)
        if (!isBeingWritten(name)) rmSync(path, { force: true })
        continue
      }
      runs.push(run)
      for (const source of sources) covered.add(source)
    }
    return new LocalIndex(folder, runs)
  }

  /** The segments whose entries are here. */
  sources(): Set<string> {
    return new Set(this.#runs.flatMap(runSources))
  }

  /** The packs that the entries here lie in. */
  packIds(): Set<string> {
    return new Set(this.#runs.flatMap(runPackIds))
  }

  get entryCount(): number {
    return this.#runs.reduce((sum, run) => sum + run.header.entryCount, 0)
  }

  /** Takes in the segment `id`. */
  add(id: string, segment: IndexSegment): void {
    if (segment.entryCount === 0) return
    this.#write([id], (path) =>
      writeRun(path, { packIds: segment.packIds, sources: [id], entries: [segment.entries] }),
    )
  }

  /** Merges small runs when there are many. */
  compact(): void {
    if (this.#runs.length <= RUNS_MAX) return
    const bySize = this.#runs.toSorted((a, b) => b.header.entryCount - a.header.entryCount)
    const small = bySize.slice(RUNS_KEPT)
    this.#runs = bySize.slice(0, RUNS_KEPT)
    this.#write(small.flatMap(runSources), (path) => mergeRuns(path, small))
    for (const run of small) {
      closeRun(run)
      rmSync(run.path, { force: true })
    }
  }

  [Symbol.dispose](): void {
    for (const run of this.#runs) closeRun(run)
    this.#runs = []
  }

  /** What another thread needs to look ids up. */
  handle(condemnedPackIds: readonly string[]): LocalIndexHandle {
    return { runs: this.#runs, condemnedPackIds }
  }

  #write(sources: readonly string[], write: (path: string) => void): void {
    const name = createHash('sha256').update(sources.join()).digest('hex').slice(0, 32)
    const path = join(this.#folder, `${name}.run`)
    write(path)
    const run = openRun(path)
    if (run === null) throw new SyntaxError(`Cannot write local index "${path}": it does not read back`)
    this.#runs.push(run)
  }
}

/** `NAME.run.PID.partial`: another icecore on this machine may be writing it. */
function isBeingWritten(name: string): boolean {
  const match = /\.(\d+)\.partial$/.exec(name)
  return match !== null && existsSync(`/proc/${match[1]}`)
}

/** Plain data: it may be posted to a worker thread. */
export type LocalIndexHandle = {
  readonly runs: readonly RunHandle[]
  /** Packs that are damaged or about to be removed: their chunks can be read, perhaps, but not reused. */
  readonly condemnedPackIds: readonly string[]
}

/** Looks ids up in all runs; a chunk that lies in several packs is taken from one that is not condemned. */
export class LocalIndexLocator implements ChunkLocator {
  readonly #readers: readonly RunReader[]
  readonly #condemned: ReadonlySet<string>

  constructor(handle: LocalIndexHandle) {
    this.#readers = handle.runs.map((run) => new RunReader(run))
    this.#condemned = new Set(handle.condemnedPackIds)
  }

  get hasCondemned(): boolean {
    return this.#condemned.size > 0
  }

  locate(id: Uint8Array): ChunkLocation | null {
    let fallback: ChunkLocation | null = null
    for (const reader of this.#readers) {
      for (const location of reader.locate(id)) {
        if (!this.#condemned.has(location.packId)) return location
        fallback = location
      }
    }
    return fallback
  }

  /** Every place that holds the chunk: where one copy is damaged another may be whole. */
  *locateAll(id: Uint8Array): Generator<ChunkLocation> {
    for (const reader of this.#readers) yield* reader.locate(id)
  }

  /** Whether a new point may refer to what lies there. */
  isReusable(location: ChunkLocation): boolean {
    return !this.#condemned.has(location.packId)
  }
}
