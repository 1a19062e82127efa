// Every file of a tree, whatever the file system. What is damaged is told where it lies, and the walk goes on.
import type { DirectoryEntry, FileNode, FileSystem } from '../../src/formats/file-system.ts'
import { FormatError, UnmappedError } from '../../src/formats/format-error.ts'
import { joinPath, pathSizeBytes, type PathLink } from './path-link.ts'

export type WalkedFile = {
  readonly kind: 'file'
  /** From the start of the walk, names joined by slashes; empty for the start itself. */
  readonly path: Uint8Array
  readonly node: FileNode
  /** The path under which the walk met this inode first, when this is a further name of it; else null. */
  readonly linkedTo: Uint8Array | null
}

/** A file that cannot be read, or a directory, met as a file before, of which no more entries can be. */
export type UnreadableFile = {
  readonly kind: 'unreadable'
  readonly path: Uint8Array
  readonly inodeNumber: number
  readonly error: FormatError | UnmappedError
}

export type WalkBatch = readonly (WalkedFile | UnreadableFile)[]

/** A path that the kernel takes has no more names than this. */
const WALK_DEPTH_MAX = 2048
/** Sixteen times what the kernel takes at once. */
const WALK_PATH_BYTES_MAX = 64 * 1024
/** Entries read and not yet met, of all directories that the walk is in: some 40 MB. */
const PENDING_ENTRY_COUNT_MAX = 256 * 1024
/** How many inodes are read ahead, in the order of their numbers, as they lie; fewer where the tree is deep. */
const WINDOW_LENGTH = 256
const DEEP_WINDOW_LENGTH = 16
const DEEP_LEVEL_COUNT = 64
const BATCH_LENGTH = 1024

/**
 * Walks the tree below `start`, itself first: each directory before what is in it, entries in the order in which they
 * lie, down before on. A directory that was met is not entered again, so that a loop of directories ends. Memory: what
 * the limits above take, a number for every directory, and a name for every directory above and every file that has
 * several names, until the last of them was met.
 */
export async function* walkFiles(
  fileSystem: FileSystem,
  start: FileNode,
  signal: AbortSignal,
): AsyncGenerator<WalkBatch> {
  const walk = new Walk(fileSystem, signal)
  try {
    walk.meet(null, start)
    while (walk.isInside) {
      await walk.step()
      if (walk.isFull) yield walk.take()
    }
    if (!walk.isEmpty) yield walk.take()
  } finally {
    await walk.end()
  }
}

type Unreadable = FormatError | UnmappedError

/** A directory that the walk is in. */
type Level = {
  readonly link: PathLink | null
  readonly node: FileNode
  readonly batches: AsyncIterator<readonly DirectoryEntry[]>
  entries: readonly DirectoryEntry[]
  next: number
  /** What the inodes of the entries from `windowStart` on are. */
  window: readonly (FileNode | Unreadable)[]
  windowStart: number
}

class Walk {
  readonly #fileSystem: FileSystem
  readonly #signal: AbortSignal
  readonly #levels: Level[] = []
  readonly #directories = new Set<number>()
  /** Where a file with several names was met first, and how many of its names were not met yet. */
  readonly #linked = new Map<number, { readonly link: PathLink | null; remaining: number }>()
  #pendingCount = 0
  #batch: (WalkedFile | UnreadableFile)[] = []

  constructor(fileSystem: FileSystem, signal: AbortSignal) {
    this.#fileSystem = fileSystem
    this.#signal = signal
  }

  get isInside(): boolean {
    return this.#levels.length > 0
  }

  get isFull(): boolean {
    return this.#batch.length >= BATCH_LENGTH
  }

  get isEmpty(): boolean {
    return this.#batch.length === 0
  }

  take(): WalkBatch {
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  async end(): Promise<void> {
    for (const level of this.#levels) await level.batches.return?.()
  }

  /** Goes on until the batch is full, or something has to be read. */
  async step(): Promise<void> {
    this.#signal.throwIfAborted()
    const level = this.#levels.at(-1)
    if (level === undefined) return
    if (level.next >= level.entries.length) {
      await this.#readEntries(level)
    } else if (level.next >= level.windowStart + level.window.length) {
      await this.#readWindow(level)
    } else {
      this.#meetWindow(level)
    }
  }

  meet(link: PathLink | null, node: FileNode): void {
    const path = joinPath(link)
    if (node.kind === 'directory') {
      this.#batch.push({ kind: 'file', path, node, linkedTo: null })
      this.#enter(link, node)
      return
    }
    this.#batch.push({ kind: 'file', path, node, linkedTo: this.#firstPath(link, node) })
  }

  #meetWindow(level: Level): void {
    const depth = this.#levels.length
    const end = level.windowStart + level.window.length
    while (level.next < end && this.#levels.length === depth && !this.isFull) {
      const entry = level.entries[level.next]
      const found = level.window[level.next - level.windowStart]
      level.next += 1
      this.#pendingCount -= 1
      if (entry === undefined || found === undefined) return
      const link = { parent: level.link, name: entry.name }
      if (pathSizeBytes(link) > WALK_PATH_BYTES_MAX) {
        const what = `its path has more than ${WALK_PATH_BYTES_MAX} bytes`
        this.#refuse(
          level.link,
          entry.inodeNumber,
          notWalked(`${level.node.kind} ${entry.inodeNumber}`, what),
        )
      } else if (found instanceof Error) this.#refuse(link, entry.inodeNumber, found)
      else this.meet(link, found)
    }
  }

  #firstPath(link: PathLink | null, node: FileNode): Uint8Array | null {
    if (node.linkCount <= 1) return null
    const first = this.#linked.get(node.number)
    if (first === undefined) {
      this.#linked.set(node.number, { link, remaining: node.linkCount - 1 })
      return null
    }
    first.remaining -= 1
    if (first.remaining <= 0) this.#linked.delete(node.number)
    return joinPath(first.link)
  }

  #enter(link: PathLink | null, node: FileNode): void {
    const what = `directory ${node.number}`
    if (this.#directories.has(node.number)) {
      this.#refuse(link, node.number, notWalked(what, 'it is in the tree a second time'))
    } else if (this.#levels.length >= WALK_DEPTH_MAX) {
      this.#refuse(link, node.number, notWalked(what, `it is deeper than ${WALK_DEPTH_MAX} directories`))
    } else {
      this.#directories.add(node.number)
      const batches = this.#fileSystem.readDirectory(node, this.#signal)[Symbol.asyncIterator]()
      this.#levels.push({ link, node, batches, entries: [], next: 0, window: [], windowStart: 0 })
    }
  }

  async #readEntries(level: Level): Promise<void> {
    try {
      const result = await level.batches.next()
      if (result.done === true) {
        this.#levels.pop()
        return
      }
      level.entries = result.value
      level.next = 0
      level.window = []
      level.windowStart = 0
      this.#pendingCount += level.entries.length
      if (this.#pendingCount <= PENDING_ENTRY_COUNT_MAX || this.#levels.length === 1) return
      this.#pendingCount -= level.entries.length
      await level.batches.return?.()
      throw notWalked(
        `directory ${level.node.number}`,
        `the ${this.#levels.length} directories above hold too many entries`,
      )
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.#levels.pop()
      this.#refuse(level.link, level.node.number, error)
    }
  }

  async #readWindow(level: Level): Promise<void> {
    const length = this.#levels.length > DEEP_LEVEL_COUNT ? DEEP_WINDOW_LENGTH : WINDOW_LENGTH
    const numbers = level.entries.slice(level.next, level.next + length).map((entry) => entry.inodeNumber)
    const order = numbers.map((_, index) => index)
    order.sort((first, second) => (numbers[first] ?? 0) - (numbers[second] ?? 0))
    const window: (FileNode | Unreadable)[] = Array.from({ length: numbers.length })
    for (const index of order) window[index] = await this.#readNode(numbers[index] ?? 0)
    level.window = window
    level.windowStart = level.next
  }

  async #readNode(inodeNumber: number): Promise<FileNode | Unreadable> {
    try {
      return await this.#fileSystem.readNode(inodeNumber)
    } catch (error) {
      if (isUnreadable(error)) return error
      throw error
    }
  }

  #refuse(link: PathLink | null, inodeNumber: number, error: Unreadable): void {
    this.#batch.push({ kind: 'unreadable', path: joinPath(link), inodeNumber, error })
  }
}

function isUnreadable(error: unknown): error is Unreadable {
  return error instanceof FormatError || error instanceof UnmappedError
}

function notWalked(what: string, sentence: string): UnmappedError {
  return new UnmappedError(what, `Cannot walk ${what}: ${sentence}`)
}
