import type { FileHandle } from 'node:fs/promises'
import type { CloneCalls } from '../clone-calls.ts'

/** What tells a file from all others, and from itself after somebody wrote to it. */
export type CloneState = {
  readonly inode: string
  readonly generation: number
  readonly sizeBytes: number
  readonly modifiedNs: string
  readonly changedNs: string
  readonly linkCount: number
}

export async function readCloneState(handle: FileHandle, calls: CloneCalls): Promise<CloneState> {
  const { ino, size, mtimeNs, ctimeNs, nlink } = await handle.stat({ bigint: true })
  return {
    inode: String(ino),
    generation: calls.generation(handle.fd),
    sizeBytes: Number(size),
    modifiedNs: String(mtimeNs),
    changedNs: String(ctimeNs),
    linkCount: Number(nlink),
  }
}
