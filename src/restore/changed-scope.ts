import type { FileNode, FileSystem } from '../formats/file-system.ts'
import type { InodeMap } from '../formats/inode-map.ts'
import type { ChangedInodes } from './changed-inodes.ts'
import { countName, foldersWithNames } from './name-search.ts'

/** Which files are looked at, by number. All others are the same in both file systems, with all that is in them. */
export type ChangedScope = {
  /** Inodes that may differ. */
  readonly changed: ReadonlySet<number>
  /** Those, and the folders that lead to them in the later file system. */
  readonly wanted: ReadonlySet<number>
  /** How many names each of `changed` has in the later file system. */
  readonly nameCounts: ReadonlyMap<number, number>
}

export type ScopeSource = { readonly fileSystem: FileSystem; readonly inodes: InodeMap }

/**
 * Where the files with these numbers are. A folder says which one it is in. Of other files only the names tell, and
 * are looked for in the folders that changed, and then in others until there are as many as there are links.
 */
export async function changedScope(
  after: ScopeSource,
  { files: changed, filesAfter }: ChangedInodes,
  signal: AbortSignal,
): Promise<ChangedScope> {
  const { fileSystem } = after
  const wanted = new Set(changed)
  const nameCounts = new Map<number, number>()
  const missing = new Map<number, number>()
  const folders: FileNode[] = []
  for (const number of Float64Array.from(filesAfter).toSorted()) {
    const node = await fileSystem.readNode(number)
    if (node.kind === 'directory') folders.push(node)
    else missing.set(number, node.linkCount)
    // The root has no name.
    if (number !== fileSystem.rootInodeNumber)
      nameCounts.set(number, node.kind === 'directory' ? 1 : node.linkCount)
  }
  for (const folder of folders) {
    signal.throwIfAborted()
    await addFoldersAbove(after, folder.number, wanted)
    for await (const entries of fileSystem.readDirectory(folder, signal)) {
      for (const { inodeNumber } of entries) countName(missing, inodeNumber)
    }
  }
  for (const number of await foldersWithNames(fileSystem, { missing, known: changed }, signal)) {
    wanted.add(number)
    await addFoldersAbove(after, number, wanted)
  }
  return { changed, wanted, nameCounts }
}

/** Up to one that is there already: those above it are, or come in its turn. */
async function addFoldersAbove(
  { fileSystem, inodes }: ScopeSource,
  start: number,
  wanted: Set<number>,
): Promise<void> {
  let number = start
  while (number !== fileSystem.rootInodeNumber) {
    number = await inodes.parentOf(number)
    if (wanted.has(number)) return
    wanted.add(number)
  }
}
