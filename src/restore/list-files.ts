import { joinPath } from '../domain/path-text.ts'
import type { DirectoryEntry, FileNode, FileSystem } from '../formats/file-system.ts'
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

const BATCH_LENGTH = 1024
/** As deep as a path can be that a program can use. */
const DEPTH_MAX = 2048

/**
 * What is in a folder, or the file itself, in the order of the bytes of the names, a folder before what is in it. One
 * folder's names are held at a time, and those of the folders that lead to it. What cannot be read is told and left out.
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
    for (const file of await this.#filesIn(node, path)) {
      this.#options.signal.throwIfAborted()
      await this.add(file)
      if (this.#batch.length >= BATCH_LENGTH) yield this.take()
      if (this.#options.recursive && file.node.kind === 'directory') {
        yield* this.folder(file.node, file.path, depth + 1)
      }
    }
  }

  /** Nodes are read in the order of their numbers, which is that in which they lie. */
  async #filesIn(node: FileNode, path: Uint8Array): Promise<Omit<ListedFile, 'linkTarget'>[]> {
    const entries: DirectoryEntry[] = []
    await this.#orProblem(path, async () => {
      for await (const batch of this.#fileSystem.readDirectory(node, this.#options.signal)) {
        for (const entry of batch) entries.push(entry)
      }
      return null
    })
    entries.sort((a, b) => a.inodeNumber - b.inodeNumber)
    const files: Omit<ListedFile, 'linkTarget'>[] = []
    for (const { name, inodeNumber } of entries) {
      const inner = childPath(path, name)
      const found = await this.#orProblem(inner, () => this.#fileSystem.readNode(inodeNumber))
      if (found !== null) files.push({ path: inner, name, node: found })
    }
    return files.toSorted((a, b) => Buffer.compare(a.name, b.name))
  }

  async #orProblem<T>(path: Uint8Array, read: () => Promise<T>): Promise<T | null> {
    try {
      return await read()
    } catch (error) {
      const problem = problemOf(error, path)
      if (problem === null) throw error
      this.#options.onProblem(problem)
      return null
    }
  }
}

function childPath(folder: Uint8Array, name: Uint8Array): Uint8Array {
  const path = new Uint8Array(folder.byteLength + 1 + name.byteLength)
  path.set(folder)
  path[folder.byteLength] = 0x2f
  path.set(name, folder.byteLength + 1)
  return path
}
