// What fast commits change, as files see it: inodes, the blocks of files, and names in directories. Nothing of it lies
// on the volume as a block, so it is kept beside the blocks, and readers of these three ask for it.
import { BATCH_LENGTH } from '../../../extents/batches.ts'
import type { DirectoryEntry } from '../../file-system.ts'
import type { BlockRun } from '../block-run.ts'

export type ChangedInode = {
  /** As the inode is since; its checksum is that of an older state, and not to be verified. */
  readonly bytes: Uint8Array
  /** What lies elsewhere since, ascending; holes lead to block 0. */
  readonly runs: readonly BlockRun[]
  /** Why it cannot be said what it holds, as a sentence; null when it can. */
  readonly refusal: string | null
}

export type ChangedNames = {
  /** The directory was made since: what lies in its blocks is not its own. */
  readonly isNew: boolean
  /** By name (see nameKey) the inode that it leads to since; 0 for names that are gone. */
  readonly inodeNumbers: ReadonlyMap<string, number>
}

export type ChangedFiles = {
  readonly inodes: ReadonlyMap<number, ChangedInode>
  /** By the inode number of the directory. */
  readonly names: ReadonlyMap<number, ChangedNames>
}

/** Names are bytes: a character for each. */
export function nameKey(name: Uint8Array): string {
  return String.fromCharCode(...name)
}

/** The entries of a directory that are left of those that lie in it, then those that came. */
export async function* changedEntries(
  entries: AsyncIterable<readonly DirectoryEntry[]>,
  changed: ChangedNames,
): AsyncGenerator<readonly DirectoryEntry[]> {
  const { isNew, inodeNumbers } = changed
  if (!isNew) {
    for await (const batch of entries) yield batch.filter(({ name }) => !inodeNumbers.has(nameKey(name)))
  }
  const come = [...inodeNumbers].filter(([, inodeNumber]) => inodeNumber !== 0)
  for (let start = 0; start < come.length; start += BATCH_LENGTH) {
    const batch = come.slice(start, start + BATCH_LENGTH)
    yield batch.map(([key, inodeNumber]) => ({ name: nameBytes(key), inodeNumber }))
  }
}

function nameBytes(key: string): Uint8Array {
  return Uint8Array.from(key, (character) => character.charCodeAt(0))
}
