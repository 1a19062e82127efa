import { SEGMENT_ENTRY_SIZE } from '../../repository/index-segment.ts'
import { runPackIds, RunReader, runSources, type RunHandle } from './run-reader.ts'
import { writeRun } from './write-run.ts'

/** Entries that are handed on in one piece. */
const PIECE_ENTRIES = 512

/** Merges sorted runs into one file, in memory that does not depend on their length. */
export function mergeRuns(path: string, runs: readonly RunHandle[]): void {
  const packIds: string[] = []
  const open = runs.map((run) => {
    const firstPack = packIds.length
    for (const id of runPackIds(run)) packIds.push(id)
    return new RunCursor(new RunReader(run), firstPack)
  })
  writeRun(path, { packIds, sources: runs.flatMap(runSources), entries: merged(open) })
}

function* merged(cursors: readonly RunCursor[]): Generator<Uint8Array> {
  const piece = new Uint8Array(PIECE_ENTRIES * SEGMENT_ENTRY_SIZE)
  let length = 0
  for (let next = smallest(cursors); next !== null; next = smallest(cursors)) {
    next.takeInto(piece, length)
    length += SEGMENT_ENTRY_SIZE
    if (length < piece.byteLength) continue
    yield piece
    length = 0
  }
  if (length > 0) yield piece.subarray(0, length)
}

/** A handful of runs are merged at a time: looking at each is quicker than a heap. */
function smallest(cursors: readonly RunCursor[]): RunCursor | null {
  let least: RunCursor | null = null
  for (const cursor of cursors) {
    if (cursor.current === null) continue
    if (least === null || least.current === null || Buffer.compare(cursor.current, least.current) < 0)
      least = cursor
  }
  return least
}

/** Walks one run, with its packs renumbered from `firstPack`. */
class RunCursor {
  /** The entry that is next, or null at the end. */
  current: Uint8Array | null = null
  readonly #pieces: Iterator<Uint8Array>
  readonly #firstPack: number
  #piece = new Uint8Array(0)
  #at = 0

  constructor(reader: RunReader, firstPack: number) {
    this.#pieces = reader.entries()
    this.#firstPack = firstPack
    this.#advance()
  }

  takeInto(target: Uint8Array, at: number): void {
    if (this.current === null) return
    target.set(this.current, at)
    const view = new DataView(target.buffer, target.byteOffset + at, SEGMENT_ENTRY_SIZE)
    view.setUint32(0x20, view.getUint32(0x20, true) + this.#firstPack, true)
    this.#advance()
  }

  #advance(): void {
    if (this.#at >= this.#piece.byteLength) {
      const next = this.#pieces.next()
      this.#at = 0
      this.#piece = next.done === true ? new Uint8Array(0) : next.value.slice()
    }
    const end = this.#at + SEGMENT_ENTRY_SIZE
    this.current = end <= this.#piece.byteLength ? this.#piece.subarray(this.#at, end) : null
    this.#at = end
  }
}
