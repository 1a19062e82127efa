import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { errnoOf } from '../../domain/errno.ts'

const DIRECT_ALIGNMENT = 4096
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL

/**
 * Creates `path` with `bytes` and returns when they are durable. Large aligned buffers go past the page cache
 * where the file system allows it: a backup should not push the host's own pages out, and copying costs more
 * than the write.
 */
export async function writeFileDurably(path: string, bytes: Uint8Array): Promise<void> {
  if (!isAligned(bytes)) {
    await writeFrom(path, bytes, { at: 0, flags: NEW_FILE })
    return
  }
  const at = await writeFrom(path, bytes, { at: 0, flags: NEW_FILE | constants.O_DIRECT })
  // What direct I/O would not take, all of it or the end after a short write, goes through the page cache.
  if (at < bytes.byteLength) {
    await writeFrom(path, bytes, { at, flags: constants.O_WRONLY | constants.O_CREAT })
  }
}

/** Writes on from `at`; returns where it ended, which is before the end only if direct I/O says EINVAL. */
async function writeFrom(
  path: string,
  bytes: Uint8Array,
  from: { readonly at: number; readonly flags: number },
): Promise<number> {
  let at = from.at
  try {
    await using file = await open(path, from.flags, 0o600)
    while (at < bytes.byteLength) {
      const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at, at)
      at += bytesWritten
    }
    await file.sync()
  } catch (error) {
    if ((from.flags & constants.O_DIRECT) === 0 || errnoOf(error) !== 'EINVAL') throw error
  }
  return at
}

/** Shared memory is most often `allocateAligned()`, which begins at a page; ordinary buffers begin anywhere. */
function isAligned(bytes: Uint8Array): boolean {
  const shared = bytes.buffer instanceof SharedArrayBuffer
  return shared && bytes.byteOffset % DIRECT_ALIGNMENT === 0 && bytes.byteLength % DIRECT_ALIGNMENT === 0
}
