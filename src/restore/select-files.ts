import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { formatPathBytes, joinPath } from '../domain/path-text.ts'
import type { FileNode, FileSystem } from '../formats/file-system.ts'
import { findEntry } from '../formats/find-entry.ts'

/** A file by its names from the root, and the nodes of all of these; the first node is the root's. */
export type SelectedFile = {
  readonly names: readonly Uint8Array[]
  readonly nodes: readonly FileNode[]
  readonly node: FileNode
}

/** The file of a path; links are not followed. Throws FILE_MISSING, or what reading the file system throws. */
export async function selectFile(
  fileSystem: FileSystem,
  names: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<SelectedFile> {
  let node = await fileSystem.readNode(fileSystem.rootInodeNumber)
  const nodes = [node]
  for (const [depth, name] of names.entries()) {
    if (node.kind !== 'directory')
      throw missing(names, `"${shown(names.slice(0, depth))}" is ${KIND_WORDS[node.kind]}`)
    const inodeNumber = await findEntry(fileSystem, { directory: node, name }, signal)
    if (inodeNumber === null) {
      throw missing(names, `"${shown(names.slice(0, depth))}" has no "${formatPathBytes(name)}"`)
    }
    node = await fileSystem.readNode(inodeNumber)
    nodes.push(node)
  }
  return { names, nodes, node }
}

/** What a file is, in a sentence. */
export const KIND_WORDS: Readonly<Record<FileNode['kind'], string>> = {
  file: 'a file',
  directory: 'a folder',
  symlink: 'a symbolic link',
  'block-device': 'a block device',
  'character-device': 'a character device',
  fifo: 'a FIFO',
  socket: 'a socket',
}

function missing(names: readonly Uint8Array[], found: string): BackupError {
  const path = shown(names)
  return new BackupError(ErrorCode.FileMissing, `Cannot find "${path}": ${found}`, { data: { path } })
}

function shown(names: readonly Uint8Array[]): string {
  return formatPathBytes(joinPath(names))
}
