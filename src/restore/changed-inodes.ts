import { endOf, type Range } from '../domain/range.ts'
import type { InodeMap, InodeRun } from '../formats/inode-map.ts'
import type { BlockMask } from './block-mask.ts'
import type { FileSource } from './file-pieces.ts'
import { NotFollowed } from './not-followed.ts'
import { pairInodeRuns, type PairedRun } from './pair-inode-runs.ts'

/** Read and compared at a time. */
const PIECE_BYTES = 1024 * 1024
/** The runs of inodes in so much are held at a time. */
const RUNS_WINDOW_BYTES = 256 * 1024 * 1024
/** Ranges with less than this between them are asked about together: bitmaps lie far apart. */
const FREE_WINDOW_BYTES = 64 * 1024 * 1024

export type MappedSource = FileSource & { readonly inodes: InodeMap }

export type InodeComparison = {
  readonly before: MappedSource
  readonly after: MappedSource
  /** Where the volumes differ, ascending, coarse as it may be. */
  readonly changedRanges: () => Iterable<Range>
  readonly signal: AbortSignal
}

/** Numbers of files. */
export type ChangedInodes = {
  /** Those that may differ. */
  readonly files: ReadonlySet<number>
  /** Those of them that the later file system has. */
  readonly filesAfter: ReadonlySet<number>
}

/**
 * The numbers of the files that may differ, in either of two states of one file system: those whose inodes differ, and
 * those that own a changed block which belongs to none of these. `mask` is all that changed; it is used up.
 *
 * Blocks that are not those of changed inodes are read and compared one by one; only when one of them differs and is
 * neither free nor the file system's own, all inodes are asked whose it is.
 */
export async function changedInodes(comparison: InodeComparison, mask: BlockMask): Promise<ChangedInodes> {
  const finder = new InodeFinder(comparison, mask)
  await finder.compareInodes()
  await finder.removeOwned()
  await finder.removeStructure()
  await finder.removeFree()
  await finder.removeEqual()
  await finder.findOwners()
  return finder
}

type Use = ReturnType<InodeMap['useOf']>

class InodeFinder implements ChangedInodes {
  readonly files = new Set<number>()
  readonly filesAfter = new Set<number>()
  readonly #comparison: InodeComparison
  readonly #mask: BlockMask
  /** In use in `before` or `after` and not the same in both, hidden ones too. */
  readonly #changed = { before: new Set<number>(), after: new Set<number>() }

  constructor(comparison: InodeComparison, mask: BlockMask) {
    this.#comparison = comparison
    this.#mask = mask
  }

  async compareInodes(): Promise<void> {
    const { before, after, changedRanges, signal } = this.#comparison
    for (const range of piecesOf(changedRanges())) {
      const runs: { before: InodeRun[]; after: InodeRun[] } = { before: [], after: [] }
      for await (const batch of before.inodes.inodeRuns(range, signal)) runs.before.push(...batch)
      for await (const batch of after.inodes.inodeRuns(range, signal)) runs.after.push(...batch)
      for (const run of pairInodeRuns(runs, after.inodes.inodeSizeBytes)) await this.#compareRun(run)
    }
  }

  async #compareRun(run: PairedRun): Promise<void> {
    const size = this.#comparison.after.inodes.inodeSizeBytes
    const perPiece = Math.floor(PIECE_BYTES / size)
    for (let index = 0; index < run.count; index += perPiece) {
      const range = {
        offset: run.offsetBytes + index * size,
        length: Math.min(perPiece, run.count - index) * size,
      }
      const bytes = await this.#read(range)
      for (let at = 0; at < range.length; at += size) {
        const before = bytes.before.subarray(at, at + size)
        const after = bytes.after.subarray(at, at + size)
        const number = run.firstNumber + index + at / size
        if (!run.isBefore || !run.isAfter || Buffer.compare(before, after) !== 0) {
          this.#compareInode(number, run.isBefore ? before : null, run.isAfter ? after : null)
        }
      }
      this.#mask.remove(range)
    }
  }

  /** Null where there is no inode, but perhaps the content of a file. */
  #compareInode(number: number, before: Uint8Array | null, after: Uint8Array | null): void {
    const { inodes } = this.#comparison.after
    const was = before === null ? 'none' : inodes.useOf(number, before)
    const is = after === null ? 'none' : inodes.useOf(number, after)
    const isSame = before !== null && after !== null && inodes.isSameInode(before, after)
    if (was === is && (is === 'none' || isSame)) return
    this.#note('before', number, was)
    this.#note('after', number, is)
  }

  #note(side: 'before' | 'after', number: number, use: Use): void {
    if (use === 'none') return
    this.#changed[side].add(number)
    if (use !== 'file') return
    this.files.add(number)
    if (side === 'after') this.filesAfter.add(number)
  }

  /** What belongs to a changed inode alone needs no other owner. */
  async removeOwned(): Promise<void> {
    const { signal } = this.#comparison
    for (const side of ['before', 'after'] as const) {
      const { inodes } = this.#comparison[side]
      for (const number of this.#changed[side]) {
        for await (const ranges of inodes.rangesOf(number, { shared: false, signal })) {
          for (const range of ranges) this.#mask.remove(range)
        }
      }
    }
  }

  async removeStructure(): Promise<void> {
    const { before, after, signal } = this.#comparison
    for (const { inodes } of [before, after]) {
      for await (const ranges of inodes.structure(signal)) {
        for (const range of ranges) this.#mask.remove(range)
      }
    }
  }

  /** What is free now, or was taken by nobody else since it was freed, is no file's that did not change. */
  async removeFree(): Promise<void> {
    const { after, signal } = this.#comparison
    for (const window of windowsOf(this.#mask.runs())) {
      for await (const ranges of after.inodes.freeRanges(window, signal)) {
        for (const range of ranges) this.#mask.remove(range)
      }
    }
  }

  /** What merely lies in one chunk with what changed. */
  async removeEqual(): Promise<void> {
    const { after } = this.#comparison
    const size = after.fileSystem.blockSizeBytes
    for (const run of this.#mask.runs()) {
      const perPiece = Math.max(size, Math.floor(PIECE_BYTES / size) * size)
      for (let done = 0; done < run.length; done += perPiece) {
        const piece = { offset: run.offset + done, length: Math.min(perPiece, run.length - done) }
        const bytes = await this.#read(piece)
        for (let at = 0; at < piece.length; at += size) {
          const one = bytes.before.subarray(at, at + size)
          const other = bytes.after.subarray(at, at + size)
          const offset = piece.offset + at
          const isExplained =
            Buffer.compare(one, other) === 0 || after.inodes.concernsNoFile(one, other, offset)
          if (isExplained) this.#mask.remove({ offset, length: size })
        }
      }
    }
  }

  /** Asks every inode in use, in the order in which they lie, whether what is left is its own. */
  async findOwners(): Promise<void> {
    if (this.#mask.isEmpty) return
    const { after, signal } = this.#comparison
    const { fileSystem, inodes } = after
    const whole = { offset: 0, length: fileSystem.sizeBytes }
    for await (const runs of inodes.inodeRuns(whole, signal)) {
      for (const run of runs) await this.#askInodes(run)
    }
  }

  async #askInodes(run: InodeRun): Promise<void> {
    const { after, signal } = this.#comparison
    const size = after.inodes.inodeSizeBytes
    const perPiece = Math.floor(PIECE_BYTES / size)
    for (let index = 0; index < run.count; index += perPiece) {
      signal.throwIfAborted()
      const bytes = new Uint8Array(Math.min(perPiece, run.count - index) * size)
      await after.image.readInto(bytes, run.offsetBytes + index * size)
      for (let at = 0; at < bytes.byteLength; at += size) {
        const number = run.firstNumber + index + at / size
        const use = after.inodes.useOf(number, bytes.subarray(at, at + size))
        if (use === 'none' || this.#changed.after.has(number) || !(await this.#owns(number))) continue
        if (use === 'hidden') {
          throw new NotFollowed(`blocks changed of inode ${number}, which has no name, though it did not`)
        }
        this.files.add(number)
        this.filesAfter.add(number)
      }
    }
  }

  async #owns(number: number): Promise<boolean> {
    const { after, signal } = this.#comparison
    for await (const ranges of after.inodes.rangesOf(number, { shared: true, signal })) {
      if (ranges.some((range) => this.#mask.touches(range))) return true
    }
    return false
  }

  async #read(range: Range): Promise<{ readonly before: Uint8Array; readonly after: Uint8Array }> {
    const { before: one, after: other, signal } = this.#comparison
    signal.throwIfAborted()
    const [before, after] = [new Uint8Array(range.length), new Uint8Array(range.length)]
    await one.image.readInto(before, range.offset)
    await other.image.readInto(after, range.offset)
    return { before, after }
  }
}

function* piecesOf(ranges: Iterable<Range>): Generator<Range> {
  for (const { offset, length } of ranges) {
    for (let done = 0; done < length; done += RUNS_WINDOW_BYTES) {
      yield { offset: offset + done, length: Math.min(RUNS_WINDOW_BYTES, length - done) }
    }
  }
}

/** Ranges that lie near one another, as one. */
function* windowsOf(ranges: Iterable<Range>): Generator<Range> {
  let open: Range | null = null
  for (const range of ranges) {
    if (open !== null && endOf(range) - open.offset <= FREE_WINDOW_BYTES) {
      open = { offset: open.offset, length: endOf(range) - open.offset }
      continue
    }
    if (open !== null) yield open
    open = range
  }
  if (open !== null) yield open
}
