// The chosen files in the order in which a file set keeps them.
import type { DirectoryEntry, FileNode, FileSystem } from '../../formats/file-system.ts'
import { compareBytes, pathOf } from '../../formats/file-set/sort-key.ts'
import { PATH_SIZE_BYTES_MAX } from '../../formats/file-set/layout.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { SortedNames } from '../../formats/sorted-names.ts'
import { chosenUnreadable, type ChosenFile } from './chosen-files.ts'

export type OrderedFile = {
  /** The path of the directory it is in, without a slash at its start; empty for what is in the root, and for the root. */
  readonly parent: Uint8Array
  readonly name: Uint8Array
  readonly node: FileNode
}

/** What is wrong with one file; the others are not touched by it. */
export type OnUnreadable = (path: Uint8Array, error: FormatError | UnmappedError) => void

export type WalkOptions = {
  readonly onUnreadable: OnUnreadable
  /** Where the files are, for sentences. */
  readonly where: string
  readonly signal: AbortSignal
}

/** A path that the kernel takes has no more names than this. */
const DEPTH_MAX = 2048
/** How many inodes are read ahead, in the order of their numbers, as they lie. */
const WINDOW_LENGTH = 1024
/** Of a directory that has so many, more are: else nearly each of them is a read. */
const LARGE_DIRECTORY_COUNT = 64 * 1024
const LARGE_WINDOW_LENGTH = 8192

/** A directory whose entries were not met yet. */
type Pending = {
  readonly path: Uint8Array
  readonly depth: number
  readonly inodeNumber: number
  readonly chosen: ChosenFile | null
}

/**
 * The root, then the chosen entries of each directory in the order of the bytes of their names, then what is below the
 * first of them, and so on: the order of `sortKey()`. Memory: the names of one directory and 16 bytes for each, the
 * nodes of a few thousand files at most, and the paths of the directories that wait. Throws SOURCE_UNREADABLE when a path that was chosen cannot be read itself.
 */
export async function* walkInOrder(
  fileSystem: FileSystem,
  root: ChosenFile,
  options: WalkOptions,
): AsyncGenerator<readonly OrderedFile[]> {
  const empty = new Uint8Array(0)
  yield [{ parent: empty, name: empty, node: await fileSystem.readNode(root.inodeNumber) }]
  const entered = new Set<number>()
  const waiting: Pending[] = [{ path: empty, depth: 0, inodeNumber: root.inodeNumber, chosen: root }]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    options.signal.throwIfAborted()
    const problem = entered.has(at.inodeNumber)
      ? 'it is in the tree a second time'
      : at.depth > DEPTH_MAX
        ? `it is deeper than ${DEPTH_MAX} directories`
        : null
    if (problem !== null) {
      const what = `directory ${at.inodeNumber}`
      options.onUnreadable(at.path, new UnmappedError(what, `Cannot walk ${what}: ${problem}`))
      continue
    }
    entered.add(at.inodeNumber)
    const below: Pending[] = []
    for await (const files of filesIn(fileSystem, at, options)) {
      for (const { name, node } of files) {
        if (node.kind !== 'directory') continue
        const chosen = at.chosen?.isWhole === false ? (at.chosen.children.get(textOf(name)) ?? null) : null
        below.push({ path: pathOf(at.path, name), depth: at.depth + 1, inodeNumber: node.number, chosen })
      }
      yield files
    }
    while (below.length > 0) {
      const last = below.pop()
      if (last !== undefined) waiting.push(last)
    }
  }
}

async function* filesIn(
  fileSystem: FileSystem,
  directory: Pending,
  options: WalkOptions,
): AsyncGenerator<readonly OrderedFile[]> {
  const { path: parent } = directory
  for await (const window of chosenWindows(fileSystem, directory, options)) {
    options.signal.throwIfAborted()
    const nodes = new Map<number, FileNode>()
    const refused = new Map<number, FormatError | UnmappedError>()
    for (const { inodeNumber } of window.toSorted((a, b) => a.inodeNumber - b.inodeNumber)) {
      if (nodes.has(inodeNumber)) continue
      try {
        nodes.set(inodeNumber, await fileSystem.readNode(inodeNumber))
      } catch (error) {
        if (!isUnreadable(error)) throw error
        refused.set(inodeNumber, error)
      }
    }
    const files: OrderedFile[] = []
    for (const { name, inodeNumber } of window) {
      const node = nodes.get(inodeNumber)
      const error = refused.get(inodeNumber)
      if (node !== undefined) files.push({ parent, name, node })
      else if (error !== undefined) refuse(directory, { name, error }, options)
    }
    yield files
  }
}

/** The chosen ones, in order, some at a time. */
async function* chosenWindows(
  fileSystem: FileSystem,
  directory: Pending,
  options: WalkOptions,
): AsyncGenerator<readonly DirectoryEntry[]> {
  const { chosen } = directory
  if (chosen !== null && !chosen.isWhole) {
    const children = [...chosen.children.values()].toSorted((a, b) => compareBytes(a.name, b.name))
    for (let start = 0; start < children.length; start += WINDOW_LENGTH) {
      yield children.slice(start, start + WINDOW_LENGTH)
    }
    return
  }
  const names = await namesIn(fileSystem, directory, options)
  const windowLength = names.count < LARGE_DIRECTORY_COUNT ? WINDOW_LENGTH : LARGE_WINDOW_LENGTH
  let before: DirectoryEntry | undefined
  for (let start = 0; start < names.count; start += windowLength) {
    const window = names.slice(start, start + windowLength)
    yield fitting(window, before, { directory, options })
    before = window.at(-1)
  }
}

async function namesIn(
  fileSystem: FileSystem,
  directory: Pending,
  options: WalkOptions,
): Promise<SortedNames> {
  const { chosen, path } = directory
  const names = new SortedNames()
  try {
    const node = await fileSystem.readNode(directory.inodeNumber)
    await names.read(fileSystem, node, options.signal)
  } catch (error) {
    if (!isUnreadable(error)) throw error
    if (chosen !== null) throw chosenUnreadable([path], options.where, error)
    options.onUnreadable(path, error)
  }
  return names
}

/** Those whose names no file can have, and second ones of a name, are told and left out. `last` is the one before. */
function fitting(
  entries: readonly DirectoryEntry[],
  last: DirectoryEntry | undefined,
  of: { readonly directory: Pending; readonly options: WalkOptions },
): readonly DirectoryEntry[] {
  const { directory, options } = of
  return entries.filter(({ name }, index) => {
    const before = index === 0 ? last : entries[index - 1]
    const isSecond = before !== undefined && compareBytes(before.name, name) === 0
    const found = whyNot(name, { directory, isSecond })
    if (found === null) return true
    const error = new UnmappedError('name', `Cannot keep it: ${found}`)
    options.onUnreadable(pathOf(directory.path, name), error)
    return false
  })
}

function whyNot(
  name: Uint8Array,
  { directory, isSecond }: { readonly directory: Pending; readonly isSecond: boolean },
): string | null {
  const text = textOf(name)
  if (text === '' || text === '.' || text === '..' || /[/\0]/.test(text)) return 'no file can have this name'
  if (isSecond) return 'there is another file of this name'
  const sizeBytes = directory.path.byteLength + 1 + name.byteLength
  return sizeBytes > PATH_SIZE_BYTES_MAX ? `its path has more than ${PATH_SIZE_BYTES_MAX} bytes` : null
}

function refuse(
  directory: Pending,
  of: { readonly name: Uint8Array; readonly error: FormatError | UnmappedError },
  options: WalkOptions,
): void {
  const { chosen, path } = directory
  if (chosen?.isWhole === false) throw chosenUnreadable([pathOf(path, of.name)], options.where, of.error)
  options.onUnreadable(pathOf(path, of.name), of.error)
}

export function isUnreadable(error: unknown): error is FormatError | UnmappedError {
  return error instanceof FormatError || error instanceof UnmappedError
}

function textOf(name: Uint8Array): string {
  return Buffer.from(name).toString('latin1')
}
