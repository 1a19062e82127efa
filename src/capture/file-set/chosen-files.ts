// Which files of a file system were chosen, by paths.
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { formatPathBytes, joinPath } from '../../domain/path-text.ts'
import type { FileNode, FileSystem } from '../../formats/file-system.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { compareBytes } from '../../formats/file-set/sort-key.ts'

/** A file on the way to those that were chosen, or one of them: then all that is below it was chosen too. */
export type ChosenFile = {
  readonly name: Uint8Array
  readonly inodeNumber: number
  isWhole: boolean
  /** Null for one that is chosen itself. */
  readonly children: Map<string, ChosenFile>
}

/**
 * Finds what the paths name, below the root. No link is followed: what is stored under a path must be what lies
 * there. Throws SOURCE_MISSING and SOURCE_UNREADABLE, with the path and `where` it was sought.
 */
export async function findChosenFiles(
  fileSystem: FileSystem,
  paths: readonly (readonly Uint8Array[])[],
  how: { readonly where: string; readonly signal: AbortSignal },
): Promise<ChosenFile> {
  const root = newChoice(new Uint8Array(0), fileSystem.rootInodeNumber)
  for (const names of paths) {
    try {
      await choose(fileSystem, { root, names }, how)
    } catch (cause) {
      if (!(cause instanceof FormatError || cause instanceof UnmappedError)) throw cause
      throw chosenUnreadable(names, how.where, cause)
    }
  }
  return root
}

/** For a path that was given and cannot be read; those below one are another matter. */
export function chosenUnreadable(
  names: readonly Uint8Array[],
  where: string,
  cause: FormatError | UnmappedError,
): BackupError {
  const path = shown(names)
  const message = `Cannot back up "${path}" of ${where}: ${cause.message}`
  return new BackupError(ErrorCode.SourceUnreadable, message, { cause, data: { chosenPath: path } })
}

async function choose(
  fileSystem: FileSystem,
  what: { readonly root: ChosenFile; readonly names: readonly Uint8Array[] },
  how: { readonly where: string; readonly signal: AbortSignal },
): Promise<void> {
  let at = what.root
  let node = await fileSystem.readNode(at.inodeNumber)
  for (const [depth, name] of what.names.entries()) {
    // Of what is chosen already, all is.
    const key = Buffer.from(name).toString('latin1')
    let child = at.children.get(key)
    if (child === undefined) {
      const inodeNumber = await findEntry(fileSystem, { node, name }, how.signal)
      if (inodeNumber === null) throw await missing(fileSystem, node, { ...what, depth, where: how.where })
      child = newChoice(name, inodeNumber)
      at.children.set(key, child)
    }
    at = child
    node = await fileSystem.readNode(at.inodeNumber)
  }
  at.isWhole = true
}

function newChoice(name: Uint8Array, inodeNumber: number): ChosenFile {
  return { name, inodeNumber, isWhole: false, children: new Map() }
}

async function findEntry(
  fileSystem: FileSystem,
  wanted: { readonly node: FileNode; readonly name: Uint8Array },
  signal: AbortSignal,
): Promise<number | null> {
  if (wanted.node.kind !== 'directory') return null
  for await (const batch of fileSystem.readDirectory(wanted.node, signal)) {
    for (const { name, inodeNumber } of batch) if (compareBytes(name, wanted.name) === 0) return inodeNumber
  }
  return null
}

async function missing(
  fileSystem: FileSystem,
  node: FileNode,
  at: { readonly names: readonly Uint8Array[]; readonly depth: number; readonly where: string },
): Promise<BackupError> {
  const path = shown(at.names)
  const parent = shown(at.names.slice(0, at.depth))
  const found =
    node.kind === 'directory'
      ? `"${parent}" has no "${formatPathBytes(at.names[at.depth] ?? new Uint8Array(0))}"`
      : node.kind === 'symlink'
        ? `"${parent}" is a symbolic link to "${formatPathBytes(await fileSystem.readSymlink(node))}", required is a path without links`
        : `"${parent}" is no folder`
  // What a journal or a log still has to write may be what was sought.
  const { allocation, format } = fileSystem
  const doubt = allocation.proven ? '' : `; of the ${format}, ${allocation.reason}`
  return new BackupError(
    ErrorCode.SourceMissing,
    `Cannot back up "${path}" of ${at.where}: ${found}${doubt}`,
    {
      data: { chosenPath: path },
    },
  )
}

function shown(names: readonly Uint8Array[]): string {
  return formatPathBytes(joinPath(names))
}
