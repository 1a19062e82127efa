import type { FileNode } from '../formats/file-system.ts'
import { ComparedFiles, type ChangedField } from './changed-fields.ts'
import type { ChangedScope } from './changed-scope.ts'
import type { ExtractProblem } from './extract-report.ts'
import { MovedFiles, type FoundFile, type Side } from './moved-files.ts'
import { countName } from './name-search.ts'
import { NotFollowed } from './not-followed.ts'
import { problemOf } from './problem-of.ts'
import type { ComparedSources } from './same-content.ts'

export type FileChange = {
  readonly kind: 'added' | 'removed' | 'modified' | 'metadata' | 'renamed'
  readonly path: Uint8Array
  /** Of what was renamed. */
  readonly previousPath: Uint8Array | null
  readonly node: FileNode
  readonly fields: readonly ChangedField[]
}

export type ChangedFiles = {
  /** In the order of the bytes of their paths. */
  readonly changes: readonly FileChange[]
  readonly problems: readonly ExtractProblem[]
}

const PROBLEMS_MAX = 1000
/** Numbers by name. */
type Entries = Map<string, number>

const CONTENT_FIELDS: ReadonlySet<ChangedField> = new Set(['content', 'target', 'device'])

/**
 * Which files differ between the file systems of two volumes. Without a scope, folders and inodes of both are read, else
 * only those in it; of the files only what is not surely unchanged. Memory follows the number of changes
 * and that of files with several names. The time of a folder and the time of the last access are not looked at.
 *
 * Throws NotFollowed when files of the scope were not met: then the folders do not lead to all that changed.
 */
export async function changedFiles(
  sources: ComparedSources,
  scope: ChangedScope | null = null,
): Promise<ChangedFiles> {
  const comparison = new Comparison(sources, scope)
  await comparison.run()
  comparison.requireAllMet()
  const changes = comparison.changes.toSorted((a, b) => Buffer.compare(a.path, b.path))
  return { changes, problems: comparison.problems }
}

class Comparison {
  readonly changes: FileChange[] = []
  readonly problems: ExtractProblem[] = []
  readonly #sources: ComparedSources
  readonly #moved = new MovedFiles()
  readonly #compared: ComparedFiles
  /** Folders that were looked into: one that holds itself must not be looked into again. */
  readonly #paired = new Set<number>()

  readonly #scope: ChangedScope | null
  /** Names of files of the scope that were not met yet. */
  readonly #unmet: Map<number, number>

  constructor(sources: ComparedSources, scope: ChangedScope | null) {
    this.#sources = sources
    this.#compared = new ComparedFiles(sources)
    this.#scope = scope
    this.#unmet = new Map(scope?.nameCounts)
  }

  async run(): Promise<void> {
    const { before, after } = this.#sources
    const root = new Uint8Array(0)
    await this.#pair(
      { path: root, node: await before.fileSystem.readNode(before.fileSystem.rootInodeNumber) },
      { path: root, node: await after.fileSystem.readNode(after.fileSystem.rootInodeNumber) },
    )
    // What came may be what went. Folders are looked into only when they are not the same ones under another name.
    for (;;) {
      for (const { before: old, after: now } of this.#moved.takePairs()) await this.#pair(old, now)
      const folder = this.#moved.takeFolder()
      if (folder === null) break
      const files = await this.#filesIn(folder.side, folder.file)
      for (const file of files.values()) this.#moved.add(folder.side, file)
    }
    for (const { path, node } of this.#moved.rest('before')) this.#add({ kind: 'removed', path, node })
    for (const { path, node } of this.#moved.rest('after')) this.#add({ kind: 'added', path, node })
  }

  requireAllMet(): void {
    const [first] = this.#unmet.keys()
    if (first === undefined) return
    throw new NotFollowed(`not every name of inode ${first} was found where it should be`)
  }

  /** `isInPair`: of one name in two folders that are a pair; its path may differ because theirs do. */
  async #pair(before: FoundFile, after: FoundFile, isInPair = false): Promise<void> {
    this.#sources.signal.throwIfAborted()
    const fields = await this.#orProblem(after.path, () => this.#compared.fieldsOf(before.node, after.node))
    const isRenamed = !isInPair && Buffer.compare(before.path, after.path) !== 0
    if (fields !== null && (isRenamed || fields.length > 0)) {
      const kind = isRenamed
        ? 'renamed'
        : fields.some((field) => CONTENT_FIELDS.has(field))
          ? 'modified'
          : 'metadata'
      const { path, node } = after
      this.#add({ kind, path, node, previousPath: isRenamed ? before.path : null, fields })
    }
    if (after.node.kind !== 'directory') return
    if (this.#paired.has(after.node.number)) {
      this.#addProblem({ code: 'FILE_DAMAGED', path: after.path, message: 'this folder is in two places' })
      return
    }
    this.#paired.add(after.node.number)
    await this.#pairEntries(before, after)
  }

  async #pairEntries(before: FoundFile, after: FoundFile): Promise<void> {
    const now = await this.#entriesOf('after', after)
    // A folder that did not change has the same names: what of them is wanted is the same on both sides.
    const old = this.#isUnchangedFolder(before, after)
      ? new Map(now)
      : await this.#entriesOf('before', before)
    this.#leaveOutSame(old, now)
    const oldFiles = await this.#filesOf('before', before, old)
    const nowFiles = await this.#filesOf('after', after, now)
    for (const [name, file] of nowFiles) {
      const previous = oldFiles.get(name)
      oldFiles.delete(name)
      if (previous?.node.kind === file.node.kind) {
        await this.#pair(previous, file, true)
        continue
      }
      if (previous !== undefined) this.#moved.add('before', previous)
      this.#moved.add('after', file)
    }
    for (const file of oldFiles.values()) this.#moved.add('before', file)
  }

  #isUnchangedFolder(before: FoundFile, after: FoundFile): boolean {
    if (this.#scope === null) return false
    return before.node.number === after.node.number && !this.#scope.changed.has(after.node.number)
  }

  /** What has the same name and number in both folders, and neither differs nor holds what does. */
  #leaveOutSame(old: Entries, now: Entries): void {
    if (this.#scope === null) return
    for (const [name, number] of now) {
      if (old.get(name) !== number || this.#scope.wanted.has(number)) continue
      old.delete(name)
      now.delete(name)
    }
  }

  async #filesIn(side: Side, folder: FoundFile): Promise<Map<string, FoundFile>> {
    return await this.#filesOf(side, folder, await this.#entriesOf(side, folder))
  }

  async #entriesOf(side: Side, folder: FoundFile): Promise<Entries> {
    const { fileSystem } = this.#sources[side]
    const entries: Entries = new Map()
    await this.#orProblem(folder.path, async () => {
      for await (const batch of fileSystem.readDirectory(folder.node, this.#sources.signal)) {
        for (const { name, inodeNumber } of batch)
          entries.set(Buffer.from(name).toString('latin1'), inodeNumber)
      }
      return null
    })
    return entries
  }

  /** By name; read in the order of the inodes, in which they lie. */
  async #filesOf(side: Side, folder: FoundFile, entries: Entries): Promise<Map<string, FoundFile>> {
    const { fileSystem } = this.#sources[side]
    const files = new Map<string, FoundFile>()
    for (const [name, number] of [...entries].toSorted(([, one], [, other]) => one - other)) {
      if (side === 'after') countName(this.#unmet, number)
      const path = Buffer.concat([folder.path, SLASH, Buffer.from(name, 'latin1')])
      const node = await this.#orProblem(path, () => fileSystem.readNode(number))
      if (node !== null) files.set(name, { path, node })
    }
    return files
  }

  async #orProblem<T>(path: Uint8Array, read: () => Promise<T>): Promise<T | null> {
    try {
      return await read()
    } catch (error) {
      const problem = problemOf(error, path)
      if (problem === null) throw error
      this.#addProblem(problem)
      return null
    }
  }

  #addProblem(problem: ExtractProblem): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(problem)
  }

  #add(change: Pick<FileChange, 'kind' | 'path' | 'node'> & Partial<FileChange>): void {
    this.changes.push({ previousPath: null, fields: [], ...change })
  }
}

const SLASH = Uint8Array.of(0x2f)
