import type { FileNode } from './file-system.ts'

/** What tells a file from every other of its file system; of a file set, of the one that it was taken from. */
export function originOf(node: FileNode): { readonly number: number; readonly generation: number } {
  return node.origin ?? node
}
