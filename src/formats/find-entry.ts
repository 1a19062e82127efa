import { isSameBytes } from '../bytes/same-bytes.ts'
import type { FileNode, FileSystem } from './file-system.ts'

/** The inode that a directory has under that name; null when it has none. */
export async function findEntry(
  fileSystem: FileSystem,
  wanted: { readonly directory: FileNode; readonly name: Uint8Array },
  signal: AbortSignal,
): Promise<number | null> {
  for await (const batch of fileSystem.readDirectory(wanted.directory, signal)) {
    for (const { name, inodeNumber } of batch) {
      if (isSameBytes(name, wanted.name)) return inodeNumber
    }
  }
  return null
}
