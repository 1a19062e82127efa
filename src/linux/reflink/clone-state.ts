import type { FileHandle } from 'node:fs/promises'
import type { CloneState } from '../../domain/file-clone.ts'
import type { CloneCalls } from '../clone-calls.ts'

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
