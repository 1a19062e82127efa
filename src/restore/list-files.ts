import { joinPath } from '../domain/path-text.ts'
import type { FileNode, FileSystem } from '../formats/file-system.ts'
import { PackedNodes } from '../formats/packed-nodes.ts'
import { SortedNames } from '../formats/sorted-names.ts'
import type { ExtractProblem } from './extract-report.ts'
import { problemOf } from './problem-of.ts'
import type { SelectedFile } from './select-files.ts'

/** A file of a listing. */
export type ListedFile = {
  /** From the root. */
  readonly path: Uint8Array
  readonly name: Uint8Array
  readonly node: FileNode
  /** Of a symbolic link, when it was asked for. */
  readonly linkTarget: Uint8Array | null
}

export type ListOptions = {
  readonly recursive: boolean
  /** Read where links lead. */
  readonly withLinkTargets: boolean
  readonly onProblem: (problem: ExtractProblem) => void
  readonly signal: AbortSignal
}

const BATCH_LENGTH = 256
/** How many nodes of a folder are read ahead, in the order in which they lie; fewer in folders within folders. */
const WINDOW_LENGTHS = [
  { levelMax: 2, length: 128 * 1024 },
  { levelMax: 64, length: 4096 },
] as const
const DEEP_WINDOW_LENGTH = 64
/** As deep as a path can be that a program can use. */
const DEPTH_MAX = 2048

/**
 * What is in a folder, or the file itself, in the order of the bytes of the names, a folder before what is in it. What
 * cannot be read is told and left out. Memory: the names of one folder and of those that lead to it, and 16 bytes for
 * each of them; 160 bytes for some hundred thousand
 * nodes at most; a number for each folder.
 */
export async function* listFiles(
  fileSystem: FileSystem,
  selected: SelectedFile,
  options: ListOptions,
): AsyncGenerator<readonly ListedFile[]> {
  const listing = new Listing(fileSystem, options)
  if (selected.node.kind === 'directory') {
    const path = selected.names.length === 0 ? new Uint8Array(0) : joinPath(selected.names)
    yield* listing.folder(selected.node, path, selected.names.length)
  } else {
    await listing.add({
      path: joinPath(selected.names),
      name: selected.names.at(-1) ?? new Uint8Array(0),
      node: selected.node,
    })
  }
  yield listing.take()
}

class Listing {
  readonly #fileSystem: FileSystem
  readonly #options: ListOptions
  /** Folders that were listed: one that holds itself, or lies in two places, is not entered again. */
  readonly #entered = new Set<number>()
  /** Folders that are being listed, one in the other. */
  #level = 0
  #batch: ListedFile[] = []

  constructor(fileSystem: FileSystem, options: ListOptions) {
    this.#fileSystem = fileSystem
    this.#options = options
  }

  take(): readonly ListedFile[] {
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  async add(file: Omit<ListedFile, 'linkTarget'>): Promise<void> {
    const wantsTarget = this.#options.withLinkTargets && file.node.kind === 'symlink'
    const linkTarget = wantsTarget
      ? await this.#orProblem(file.path, () => this.#fileSystem.readSymlink(file.node))
      : null
    this.#batch.push({ ...file, linkTarget })
  }

  async *folder(node: FileNode, path: Uint8Array, depth: number): AsyncGenerator<readonly ListedFile[]> {
    if (depth > DEPTH_MAX || this.#entered.has(node.number)) {
      const message = 'the folder is in two places, or nested too deep to be listed'
      this.#options.onProblem({ code: 'FILE_DAMAGED', path, message })
      return
    }
    this.#entered.add(node.number)
    const names = await this.#namesIn(node, path)
    this.#level += 1
    const windowLength = windowLengthAt(this.#level)
    for (let start = 0; start < names.count; start += windowLength) {
      const nodes = await this.#nodesOf(names, { start, end: start + windowLength }, path)
      for (let place = start; place < names.count && place < start + windowLength; place += 1) {
        const found = nodes.get(place - start)
        if (found === null) continue
        this.#options.signal.throwIfAborted()
        const name = names.nameAt(place)
        const inner = childPath(path, name)
        await this.add({ path: inner, name, node: found })
        if (this.#batch.length >= BATCH_LENGTH) yield this.take()
        if (this.#options.recursive && found.kind === 'directory') yield* this.folder(found, inner, depth + 1)
      }
    }
    this.#level -= 1
  }

  async #namesIn(node: FileNode, path: Uint8Array): Promise<SortedNames> {
    const names = new SortedNames()
    await this.#orProblem(path, () => names.read(this.#fileSystem, node, this.#options.signal))
    return names
  }

  async #nodesOf(
    names: SortedNames,
    window: { readonly start: number; readonly end: number },
    folder: Uint8Array,
  ): Promise<PackedNodes> {
    const places = names.placesByInode(window.start, window.end)
    const nodes = new PackedNodes(places.length)
    for (const place of places) {
      const node = await this.#orProblem(
        () => childPath(folder, names.nameAt(place)),
        () => this.#fileSystem.readNode(names.inodeNumberAt(place)),
      )
      if (node !== null) nodes.put(place - window.start, node)
    }
    return nodes
  }

  async #orProblem<T>(path: Uint8Array | (() => Uint8Array), read: () => Promise<T>): Promise<T | null> {
    try {
      return await read()
    } catch (error) {
      const problem = problemOf(error, typeof path === 'function' ? path() : path)
      if (problem === null) throw error
      this.#options.onProblem(problem)
      return null
    }
  }
}

function windowLengthAt(level: number): number {
  return WINDOW_LENGTHS.find(({ levelMax }) => level <= levelMax)?.length ?? DEEP_WINDOW_LENGTH
}

function childPath(folder: Uint8Array, name: Uint8Array): Uint8Array {
  const path = new Uint8Array(folder.byteLength + 1 + name.byteLength)
  path.set(folder)
  path[folder.byteLength] = 0x2f
  path.set(name, folder.byteLength + 1)
  return path
}
