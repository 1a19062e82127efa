import type { ProgressListener } from '../domain/progress.ts'
import { joinPath } from '../domain/path-text.ts'
import type { DirectoryEntry, FileNode } from '../formats/file-system.ts'
import { ExtractReport, type ExtractOutcome, type ProblemCode } from './extract-report.ts'
import { filePieces, type FileSource } from './file-pieces.ts'
import { HardLinks } from './hard-links.ts'
import { problemOf } from './problem-of.ts'
import type { NotKept, TargetFolder, TargetMetadata } from './target-folder.ts'

/** Entries that are put in the order of their inodes, which is nearly that of their data. */
const ENTRIES_SORTED_MAX = 65_536
/** Deeper than any path that a program can use; every level holds a folder open. */
const DEPTH_MAX = 1000
/** What a file that replaces another is written as. */
const PARTIAL_NAME = new TextEncoder().encode('.icecore-partial')
const PROGRESS_STEP_BYTES = 4 * 1024 * 1024

export type ExtractParts = {
  readonly source: FileSource
  readonly target: TargetFolder
  /** It was made for this: it gets what belongs to the root, when that is taken out. */
  readonly isTargetNew: boolean
  /** Replace what is there; folders are merged and never replaced. */
  readonly overwrite: boolean
  readonly progress: ProgressListener
  readonly signal: AbortSignal
}

/** Something to take out: its names from the root, and the nodes of all of these; the first node is the root's. */
export type Selected = { readonly names: readonly Uint8Array[]; readonly nodes: readonly FileNode[] }

/**
 * Takes files and folders out of a file system, with all that belongs to them, to the same paths below the target.
 * What is wrong with one file is in the result and stops none of the others; only a target that fails, or a
 * cancellation, ends it.
 */
export async function extractFiles(
  parts: ExtractParts,
  selected: readonly Selected[],
): Promise<ExtractOutcome> {
  const extraction = new Extraction(parts)
  for (const each of selected) await extraction.extract(each)
  parts.target.sync()
  return extraction.report.outcome()
}

/** Where something goes: the folder, its name there, and its names from the target on. */
type Place = {
  readonly folder: TargetFolder
  readonly name: Uint8Array
  readonly names: readonly Uint8Array[]
}

/** A place where something is being made; `isMade` says whether there is something that may have to go again. */
type Making = Place & { isMade: boolean }

class Refused extends Error {
  readonly code: ProblemCode

  constructor(code: ProblemCode, message: string) {
    super(message)
    this.code = code
  }
}

class Extraction {
  readonly report = new ExtractReport()
  readonly #parts: ExtractParts
  readonly #hardLinks: HardLinks
  /** Folders that were taken out: one that holds itself must not be entered again. */
  readonly #entered = new Set<number>()
  #shownBytes = 0

  constructor(parts: ExtractParts) {
    this.#parts = parts
    this.#hardLinks = new HardLinks(parts.target)
  }

  /** Folders on the way that are not there are made, and get what belongs to them at the end. */
  async extract({ names, nodes }: Selected): Promise<void> {
    const [root, ...rest] = nodes
    if (root === undefined) return
    this.#entered.clear() // A folder may be asked for twice.
    if (names.length === 0) {
      await this.#attempt([], () => this.#fill(this.#parts.target, root, []))
      const { target, isTargetNew, overwrite } = this.#parts
      if (isTargetNew || overwrite) await this.#finishFolder(target, { node: root, names: [] })
      return
    }
    await this.#attempt(names, () => this.#descend(this.#parts.target, { names, nodes: rest, depth: 0 }))
  }

  async #descend(
    folder: TargetFolder,
    way: {
      readonly names: readonly Uint8Array[]
      readonly nodes: readonly FileNode[]
      readonly depth: number
    },
  ): Promise<void> {
    const { names, nodes, depth } = way
    const name = names[depth]
    const node = nodes[depth]
    if (name === undefined || node === undefined) return
    const place = { folder, name, names: names.slice(0, depth + 1) }
    if (depth === names.length - 1) {
      await this.#place(place, node)
      return
    }
    const { made, isNew } = this.#openOrMake(place)
    using inner = made
    await this.#descend(inner, { names, nodes, depth: depth + 1 })
    if (isNew) await this.#finishFolder(inner, { node, names: place.names })
  }

  async #place(place: Place, node: FileNode): Promise<void> {
    switch (node.kind) {
      case 'directory': {
        const { made, isNew } = this.#openOrMake(place)
        using inner = made
        // Its own place is sound, whatever is wrong with what is in it.
        await this.#attempt(place.names, () => this.#fill(inner, node, place.names))
        if (isNew || this.#parts.overwrite) await this.#finishFolder(inner, { node, names: place.names })
        this.report.count('folderCount')
        return
      }
      case 'file':
      case 'symlink':
      case 'block-device':
      case 'character-device':
      case 'fifo':
      case 'socket':
        await this.#placeLeaf(place, node)
    }
  }

  /** Everything in a folder; what is wrong with one of them is noted. */
  async #fill(folder: TargetFolder, node: FileNode, names: readonly Uint8Array[]): Promise<void> {
    if (this.#entered.has(node.number)) throw new Refused('FILE_DAMAGED', 'this folder is in two places')
    this.#entered.add(node.number)
    if (names.length >= DEPTH_MAX) {
      throw new Refused('FILE_UNMAPPED', `it is nested ${DEPTH_MAX} folders deep, and more is not taken out`)
    }
    const { source, signal } = this.#parts
    let waiting: DirectoryEntry[] = []
    try {
      for await (const batch of source.fileSystem.readDirectory(node, signal)) {
        for (const entry of batch) waiting.push(entry)
        if (waiting.length < ENTRIES_SORTED_MAX) continue
        const full = waiting
        waiting = []
        await this.#placeAll(folder, names, full)
      }
    } finally {
      // Where a later block of the folder is damaged, what the earlier ones name is sound.
      await this.#placeAll(folder, names, waiting)
    }
  }

  async #placeAll(
    folder: TargetFolder,
    names: readonly Uint8Array[],
    entries: readonly DirectoryEntry[],
  ): Promise<void> {
    for (const { name, inodeNumber } of entries.toSorted((a, b) => a.inodeNumber - b.inodeNumber)) {
      this.#parts.signal.throwIfAborted()
      const all = [...names, name]
      await this.#attempt(all, async () => {
        requireName(name)
        const node = await this.#parts.source.fileSystem.readNode(inodeNumber)
        await this.#place({ folder, name, names: all }, node)
      })
    }
  }

  async #attempt(names: readonly Uint8Array[], work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const path = joinPath(names)
      if (error instanceof Refused) {
        this.report.addProblem({ code: error.code, path, message: error.message })
        return
      }
      const problem = problemOf(error, path)
      if (problem === null) throw error
      this.report.addProblem(problem)
    }
  }

  #openOrMake({ folder, name }: Place): { readonly made: TargetFolder; readonly isNew: boolean } {
    const there = folder.lookUp(name)
    if (there?.kind === 'directory') return { made: folder.openFolder(name), isNew: false }
    if (there !== null) {
      this.#requireOverwrite()
      folder.remove(name)
    }
    return { made: folder.makeFolder(name), isNew: true }
  }

  async #finishFolder(
    folder: TargetFolder,
    of: { readonly node: FileNode; readonly names: readonly Uint8Array[] },
  ): Promise<void> {
    const path = joinPath(of.names)
    await this.#attempt(of.names, async () => {
      this.report.addNotKept(folder.setMetadata(await this.#metadataOf(of.node)), path)
    })
  }

  /** Under its own name at once where there is nothing; else beside it, so that what is there goes only when all is well. */
  async #placeLeaf(place: Place, node: FileNode): Promise<void> {
    const { folder, name } = place
    const there = folder.lookUp(name)
    if (there?.kind === 'directory') throw new Refused('TARGET_EXISTS', 'there is a folder of that name')
    if (there !== null) this.#requireOverwrite()
    const working = there === null ? name : PARTIAL_NAME
    if (there !== null) folder.remove(working)
    const making = { ...place, name: working, isMade: false }
    try {
      await this.#make(making, node)
      if (there !== null) folder.rename(working, name)
    } catch (error) {
      // A file that is not whole must not look like one; what somebody else put there meanwhile stays.
      if (making.isMade) folder.remove(working)
      throw error
    }
    this.#hardLinks.remember(node, place)
  }

  async #make(place: Making, node: FileNode): Promise<void> {
    if (this.#hardLinks.make(node, place)) {
      place.isMade = true
      this.report.count('hardLinkCount')
      return
    }
    const { folder, name } = place
    const path = joinPath(place.names)
    if (node.kind === 'file') {
      this.report.addNotKept(await this.#makeFile(place, node), path)
      this.report.count('fileCount')
      return
    }
    const metadata = await this.#metadataOf(node)
    if (node.kind === 'symlink') {
      const target = await this.#parts.source.fileSystem.readSymlink(node)
      folder.makeLink(name, target)
      this.report.count('linkCount')
    } else if (node.kind !== 'directory') {
      folder.makeSpecial(name, { kind: node.kind, device: node.device })
      this.report.count('specialFileCount')
    }
    place.isMade = true
    this.report.addNotKept(folder.setMetadataOf(name, metadata), path)
  }

  async #makeFile(place: Making, node: FileNode): Promise<readonly NotKept[]> {
    const { source, signal } = this.#parts
    const metadata = await this.#metadataOf(node)
    using file = place.folder.makeFile(place.name)
    place.isMade = true
    let end = 0
    for await (const piece of filePieces(source, node, { signal })) {
      if (piece.kind === 'zero') continue
      await file.write(piece.bytes, piece.offset)
      end = piece.offset + piece.bytes.byteLength
      this.report.count('writtenBytes', piece.bytes.byteLength)
      this.#showProgress()
    }
    if (end < node.sizeBytes) file.setSize(node.sizeBytes)
    return file.setMetadata(metadata)
  }

  async #metadataOf(node: FileNode): Promise<TargetMetadata> {
    const { mode, userId, groupId, accessed, modified } = node
    const attributes = await this.#parts.source.fileSystem.readAttributes(node)
    return { mode, userId, groupId, accessed, modified, attributes }
  }

  #requireOverwrite(): void {
    if (!this.#parts.overwrite) throw new Refused('TARGET_EXISTS', 'there is something of that name already')
  }

  #showProgress(): void {
    const doneBytes = this.report.writtenBytes
    if (doneBytes - this.#shownBytes < PROGRESS_STEP_BYTES) return
    this.#shownBytes = doneBytes
    this.#parts.progress({ event: 'bytes', doneBytes, totalBytes: null })
  }
}

/** An image is not to be trusted with where its files go. */
function requireName(name: Uint8Array): void {
  const text = Buffer.from(name).toString('latin1')
  if (text !== '' && text !== '.' && text !== '..' && !/[/\0]/.test(text)) return
  throw new Refused('FILE_DAMAGED', 'no file can have this name')
}
