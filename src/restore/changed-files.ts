import { originOf } from '../formats/file-origin.ts'
import type { FileNode, FileTime } from '../formats/file-system.ts'
import type { ChangedScope } from './changed-scope.ts'
import type { ExtractProblem } from './extract-report.ts'
import { MovedFiles, type FoundFile, type Side } from './moved-files.ts'
import { countName } from './name-search.ts'
import { NotFollowed } from './not-followed.ts'
import { problemOf } from './problem-of.ts'
import { isSameContent, type ComparedSources } from './same-content.ts'

/** What of a file is not as it was. */
export type ChangedField =
  | 'content'
  | 'target'
  | 'device'
  | 'mode'
  | 'owner'
  | 'times'
  | 'attributes'
  /** Another file has the name. */
  | 'replaced'

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
  /** Of files with several names: whether the content differs, by both inodes. */
  readonly #compared = new Map<string, boolean>()
  /** Folders that were looked into: one that holds itself must not be looked into again. */
  readonly #paired = new Set<number>()

  readonly #scope: ChangedScope | null
  /** Names of files of the scope that were not met yet. */
  readonly #unmet: Map<number, number>

  constructor(sources: ComparedSources, scope: ChangedScope | null) {
    this.#sources = sources
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
    const fields = await this.#orProblem(after.path, () => this.#fields(before.node, after.node))
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

  async #fields(before: FileNode, after: FileNode): Promise<ChangedField[]> {
    const fields: ChangedField[] = []
    if (after.kind === 'file' && !(await this.#isSameContent(before, after))) fields.push('content')
    if (after.kind === 'symlink' && !(await this.#isSameLink(before, after))) fields.push('target')
    if (!isSameDevice(before.device, after.device)) fields.push('device')
    if (before.mode !== after.mode) fields.push('mode')
    if (before.userId !== after.userId || before.groupId !== after.groupId) fields.push('owner')
    if (after.kind !== 'directory' && !isSameTime(before.modified, after.modified)) fields.push('times')
    if (!(await this.#hasSameAttributes(before, after))) fields.push('attributes')
    if (!isSameInode(before, after)) fields.push('replaced')
    return fields
  }

  async #isSameContent(before: FileNode, after: FileNode): Promise<boolean> {
    if (after.linkCount < 2) return await isSameContent(this.#sources, before, after)
    const key = `${before.number} ${after.number}`
    const known = this.#compared.get(key)
    if (known !== undefined) return known
    const isSame = await isSameContent(this.#sources, before, after)
    this.#compared.set(key, isSame)
    return isSame
  }

  async #isSameLink(before: FileNode, after: FileNode): Promise<boolean> {
    const one = await this.#sources.before.fileSystem.readSymlink(before)
    return Buffer.compare(one, await this.#sources.after.fileSystem.readSymlink(after)) === 0
  }

  /** Whoever changes an attribute changes the time of the last change; a file system that did not would be wrong. */
  async #hasSameAttributes(before: FileNode, after: FileNode): Promise<boolean> {
    if (isSameTime(before.changed, after.changed) && isSameInode(before, after)) return true
    const lists = [
      await this.#sources.before.fileSystem.readAttributes(before),
      await this.#sources.after.fileSystem.readAttributes(after),
    ]
    const [one, other] = lists.map((list) => {
      const shown = list.map(({ name, value }) => `${name.toHex()} ${value.toHex()}`)
      return shown.toSorted().join()
    })
    return one === other
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

function isSameInode(one: FileNode, other: FileNode): boolean {
  const [first, second] = [originOf(one), originOf(other)]
  return first.number === second.number && first.generation === second.generation
}

function isSameDevice(one: FileNode['device'], other: FileNode['device']): boolean {
  return one?.major === other?.major && one?.minor === other?.minor
}

function isSameTime(one: FileTime, other: FileTime): boolean {
  return one.seconds === other.seconds && one.nanoseconds === other.nanoseconds
}
