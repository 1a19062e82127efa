// A value that is too large to lie beside its name has blocks of the attribute fork for itself, each with a header in
// version 5. Known from "XFS Algorithms & Data Structures", "Remote Attribute Values".
import { FormatError } from '../../format-error.ts'
import { readForkBlocks } from '../fork-blocks.ts'
import type { InodeFork } from '../fork-extents.ts'
import { REMOTE_HEADER_BYTES, requireRemoteHeader } from '../remote-header.ts'
import type { XfsVolume } from '../volume.ts'
import type { RemoteValue } from './leaf.ts'

/** "XARM" */
const MAGIC = 0x5841524d
/** No system call takes more. */
const VALUE_BYTES_MAX = 64 * 1024

export async function readRemoteValue(
  volume: XfsVolume,
  file: InodeFork,
  { startBlock, sizeBytes }: RemoteValue,
): Promise<Uint8Array> {
  const { features, metaUuid } = volume.superblock
  const { inode } = file
  if (startBlock === 0 || sizeBytes > VALUE_BYTES_MAX) {
    throw new FormatError(
      inode.place,
      `it has an attribute of ${sizeBytes} bytes at block ${startBlock} of its fork, ` +
        `expected at most ${VALUE_BYTES_MAX} and not block 0`,
    )
  }
  const headerBytes = features.version === 5 ? REMOTE_HEADER_BYTES : 0
  const value = new Uint8Array(sizeBytes)
  let done = 0
  for (let block = startBlock; done < sizeBytes; block += 1) {
    const run = { startBlock: block, blockCount: 1, structure: 'attribute value' }
    const { bytes, place } = await readForkBlocks(volume, file, run)
    const length = Math.min(bytes.byteLength - headerBytes, sizeBytes - done)
    if (headerBytes > 0) {
      const expected = { magic: MAGIC, offset: done, length, uuid: metaUuid, ownerInode: inode.number }
      requireRemoteHeader(bytes, place, expected)
    }
    value.set(bytes.subarray(headerBytes, headerBytes + length), done)
    done += length
  }
  return value
}
