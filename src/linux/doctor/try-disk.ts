import { isBackupError } from '../../domain/backup-error.ts'
import { deviceUse, describeUse } from '../device-use.ts'
import { openLocalSource } from '../local-source.ts'
import { activeGroupsOn } from './active-groups.ts'

const BLOCK_BYTES = 4096

export type DiskTrial = {
  /** What uses it here, as half a sentence; null when nothing does. */
  readonly use: string | null
  readonly activeGroups: readonly string[]
  /** Why a direct read failed; null when it went well. */
  readonly readFailure: string | null
}

/** Looks who uses a device of this host, and reads its first and last block past the page cache. */
export async function tryDisk(path: string): Promise<DiskTrial> {
  const [use, activeGroups] = await Promise.all([deviceUse(path), activeGroupsOn(path)])
  // Of volumes of LVM more can be said than that they are there.
  const isLvm = activeGroups.length > 0 && use.mountedReadWrite.length + use.mountedReadOnly.length === 0
  return { use: isLvm ? null : describeUse(use), activeGroups, readFailure: await readFailureOf(path) }
}

async function readFailureOf(path: string): Promise<string | null> {
  try {
    await using source = await openLocalSource(path)
    const image = source.image()
    const block = new Uint8Array(Math.min(BLOCK_BYTES, source.sizeBytes))
    await image.readInto(block, 0)
    await image.readInto(block, source.sizeBytes - block.byteLength)
    return null
  } catch (error) {
    if (!isBackupError(error)) throw error
    return error.message
  }
}
