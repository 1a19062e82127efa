import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { errnoOf } from './store-failure.ts'

const DIRECT_ALIGNMENT = 4096

/**
 * Creates `path` with `bytes` and returns when they are durable. Large aligned buffers go past the page cache
 * where the file system allows it: a backup should not push the host's own pages out, and copying costs more
 * than the write.
 */
export async function writeFileDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await openForWriting(path, bytes)
  let at = 0
  while (at < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at, at)
    at += bytesWritten
  }
  await file.sync()
}

async function openForWriting(path: string, bytes: Uint8Array): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
  if (isAligned(bytes)) {
    try {
      return await open(path, flags | constants.O_DIRECT, 0o600)
    } catch (error) {
      // File systems without direct I/O say EINVAL; the file may have been created nevertheless.
      if (errnoOf(error) !== 'EINVAL') throw error
      return await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600)
    }
  }
  return await open(path, flags, 0o600)
}

/** Memory of a WebAssembly.Memory begins at a page; that of ordinary buffers begins anywhere. */
function isAligned(bytes: Uint8Array): boolean {
  const shared = bytes.buffer instanceof SharedArrayBuffer
  return shared && bytes.byteOffset % DIRECT_ALIGNMENT === 0 && bytes.byteLength % DIRECT_ALIGNMENT === 0
}
