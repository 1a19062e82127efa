import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { ChunkLocation } from '../../repository/chunk-location.ts'
import { readSegmentEntry, SEGMENT_ENTRY_SIZE } from '../../repository/index-segment.ts'
import {
  entriesInBlock,
  fenceOf,
  parseRunHeader,
  RUN_BLOCK_SIZE,
  tailSizeOf,
  type RunHeader,
} from './run-format.ts'

/** A run that has been read and checked, as plain data that any thread can open. */
export type RunHandle = {
  readonly path: string
  /** Open for reading, by all threads of this process; another process may remove the name meanwhile. */
  readonly file: number
  readonly header: RunHeader
  /** Fences, pack ids, sources: shared, so that a thread costs no copy. */
  readonly tail: SharedArrayBuffer
}

/** Opens a run; null when the file is not a sound one. `closeRun` ends it. */
export function openRun(path: string): RunHandle | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return null
  }
  const run = readRun(path, file)
  if (run === null) closeSync(file)
  return run
}

export function closeRun(run: RunHandle): void {
  closeSync(run.file)
}

function readRun(path: string, file: number): RunHandle | null {
  const first = new Uint8Array(RUN_BLOCK_SIZE)
  if (readSync(file, first, 0, RUN_BLOCK_SIZE, 0) !== RUN_BLOCK_SIZE) return null
  const header = parseRunHeader(first)
  if (header === null) return null
  const size = tailSizeOf(header)
  const tail = new SharedArrayBuffer(size)
  const bytes = new Uint8Array(tail)
  if (readSync(file, bytes, 0, size, (1 + header.blockCount) * RUN_BLOCK_SIZE) !== size) return null
  return crc32(bytes) === header.tailCrc ? { path, file, header, tail } : null
}

/** The ids of the segments whose entries a run holds. */
export function runSources(run: RunHandle): string[] {
  const { blockCount, packCount, sourceCount } = run.header
  const at = blockCount * 8 + packCount * 32
  return Array.from({ length: sourceCount }, (_, index) => hexAt(run.tail, at + index * 32))
}

/** The ids of the packs that a run's entries lie in. */
export function runPackIds(run: RunHandle): string[] {
  const { blockCount, packCount } = run.header
  return Array.from({ length: packCount }, (_, index) => hexAt(run.tail, blockCount * 8 + index * 32))
}

/** Looks ids up in one run: a search of the fences, then one read of 4 KiB. */
export class RunReader {
  readonly #run: RunHandle
  readonly #fences: Float64Array
  readonly #block = new Uint8Array(RUN_BLOCK_SIZE)
  readonly #view = new DataView(this.#block.buffer)
  #loaded = -1
  #entriesLoaded = 0

  constructor(run: RunHandle) {
    this.#run = run
    this.#fences = new Float64Array(run.tail, 0, run.header.blockCount)
  }

  /** Every place that holds `id`: nearly always none or one. */
  *locate(id: Uint8Array): Generator<ChunkLocation> {
    const fence = fenceOf(id, 0)
    for (let block = this.#firstBlockFor(fence); block < this.#fences.length; block += 1) {
      if ((this.#fences[block] ?? 0) > fence) return
      this.#load(block)
      for (let entry = this.#lowerBound(id); entry < this.#entriesLoaded; entry += 1) {
        const at = entry * SEGMENT_ENTRY_SIZE
        if (compareAt(this.#block, at, id) !== 0) return
        yield this.#locationAt(at)
      }
    }
  }

  /** All blocks in order, each as the bytes of its entries; the bytes change with the next step. */
  *entries(): Generator<Uint8Array> {
    for (let block = 0; block < this.#fences.length; block += 1) {
      this.#load(block)
      yield this.#block.subarray(0, this.#entriesLoaded * SEGMENT_ENTRY_SIZE)
    }
  }

  #locationAt(at: number): ChunkLocation {
    const { pack, ...place } = readSegmentEntry(this.#view, at)
    return { packId: hexAt(this.#run.tail, this.#run.header.blockCount * 8 + pack * 32), ...place }
  }

  /** The last block whose first id is below the fence: equal ids may begin there. */
  #firstBlockFor(fence: number): number {
    let low = 0
    let high = this.#fences.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#fences[middle] ?? 0) < fence) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  #lowerBound(id: Uint8Array): number {
    let low = 0
    let high = this.#entriesLoaded
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareAt(this.#block, middle * SEGMENT_ENTRY_SIZE, id) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #load(block: number): void {
    if (block === this.#loaded) return
    this.#loaded = -1
    const read = readSync(this.#run.file, this.#block, 0, RUN_BLOCK_SIZE, (1 + block) * RUN_BLOCK_SIZE)
    const count = read === RUN_BLOCK_SIZE ? entriesInBlock(this.#block) : null
    if (count === null) throw damagedRun(this.#run.path, block)
    this.#entriesLoaded = count
    this.#loaded = block
  }
}

/** The file is removed: it is a copy, and the next command makes it anew. */
function damagedRun(path: string, block: number): BackupError {
  rmSync(path, { force: true })
  const message = `Cannot read the local copy of the index "${path}": block ${block} is damaged; it was removed, required is to run the command again`
  return new BackupError(ErrorCode.LocalIndexDamaged, message, { data: { path, block } })
}

function compareAt(bytes: Uint8Array, at: number, id: Uint8Array): number {
  for (let index = 0; index < 32; index += 1) {
    const difference = (bytes[at + index] ?? 0) - (id[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function hexAt(memory: SharedArrayBuffer, at: number): string {
  return Buffer.from(memory, at, 32).toString('hex')
}
