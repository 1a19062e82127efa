// Larger directories keep their entries in data blocks, hashes of the names behind byte 2^35 of the same fork, and
// free space behind twice that. All entries are in the data blocks: the rest is for finding one, and is not read.
import type { DirectoryEntry } from '../../file-system.ts'
import { FormatError } from '../../format-error.ts'
import { readForkBlocks } from '../fork-blocks.ts'
import { forkExtents } from '../fork-extents.ts'
import type { Inode } from '../inode.ts'
import type { XfsVolume } from '../volume.ts'
import { parseDataBlock } from './data-block.ts'
import { parseShortForm } from './short-form.ts'

const HASHES_OFFSET_BYTES = 2 ** 35

/** Without `.` and `..`, in the order in which they lie, a block at a time. */
export async function* readDirectory(
  volume: XfsVolume,
  inode: Inode,
  signal: AbortSignal,
): AsyncGenerator<readonly DirectoryEntry[]> {
  if (inode.kind !== 'directory') {
    throw new FormatError(inode.place, `it is a ${inode.kind}, expected a directory`)
  }
  const batches =
    inode.data.format === 'local' ? [readShortForm(volume, inode)] : readDataBlocks(volume, inode, signal)
  for await (const batch of batches) if (batch.length > 0) yield batch
}

function readShortForm(volume: XfsVolume, inode: Inode): readonly DirectoryEntry[] {
  const { bytes, offsetBytes } = inode.data
  const place = { structure: `${inode.place.structure}, directory`, offsetBytes }
  if (inode.sizeBytes > bytes.byteLength) {
    throw new FormatError(place, `size is ${inode.sizeBytes}, and the fork has ${bytes.byteLength} bytes`)
  }
  const hasFileType = volume.superblock.features.fileType
  return parseShortForm(bytes.subarray(0, inode.sizeBytes), place, { hasFileType })
}

async function* readDataBlocks(
  volume: XfsVolume,
  inode: Inode,
  signal: AbortSignal,
): AsyncGenerator<readonly DirectoryEntry[]> {
  const { superblock } = volume
  const { features, directoryBlockSizeBytes } = superblock
  const options = {
    hasFileType: features.fileType,
    identity: features.version === 5 ? { uuid: superblock.metaUuid, ownerInode: inode.number } : null,
  }
  const blockCount = directoryBlockSizeBytes / superblock.blockSizeBytes
  let readBytesCount = 0
  for await (const index of dataBlockIndexes(volume, inode)) {
    signal.throwIfAborted()
    const run = { startBlock: index * blockCount, blockCount, structure: 'directory block' }
    const { bytes, place } = await readForkBlocks(volume, { inode, fork: inode.data }, run)
    readBytesCount += bytes.byteLength
    if (readBytesCount > superblock.sizeBytes) {
      throw new FormatError(inode.place, 'it is a directory of more bytes than the file system has')
    }
    yield parseDataBlock(bytes, place, { ...options, isFirst: index === 0 })
  }
}

/** Which directory blocks are not holes: blocks that were emptied are given back. */
async function* dataBlockIndexes(volume: XfsVolume, inode: Inode): AsyncGenerator<number> {
  const { blockSizeBytes, directoryBlockSizeBytes } = volume.superblock
  const sizeBytes = Math.min(inode.sizeBytes, HASHES_OFFSET_BYTES)
  const wanted = { startBlock: 0, endBlock: Math.ceil(sizeBytes / blockSizeBytes) }
  const blockCount = directoryBlockSizeBytes / blockSizeBytes
  let nextIndex = 0
  for await (const batch of forkExtents(volume, { inode, fork: inode.data }, wanted)) {
    for (const { startBlock, blockCount: count } of batch) {
      const endBlock = Math.min(startBlock + count, wanted.endBlock)
      nextIndex = Math.max(nextIndex, Math.floor(startBlock / blockCount))
      for (; nextIndex * blockCount < endBlock; nextIndex += 1) yield nextIndex
    }
  }
}
