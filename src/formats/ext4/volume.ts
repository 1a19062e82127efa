import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import type { Finding } from '../finding.ts'
import { FormatError } from '../format-error.ts'
import type { ChangedFiles } from './fast-commit/changed-files.ts'
import type { GroupDescriptors } from './group-descriptors.ts'
import type { InodeWindow } from './inode-window.ts'
import type { Superblock } from './superblock.ts'

/** What every reader of a structure inside the file system needs. */
export type Ext4Volume = {
  /** With a cache before it, and with what the journal still holds over it. */
  readonly image: FrozenImage
  readonly superblock: Superblock
  readonly descriptors: GroupDescriptors
  /** What fast commits changed of files; none without them. */
  readonly changes?: ChangedFiles
  /** Through which inodes are read, where many are. */
  readonly inodeWindow?: InodeWindow
  /** Says what is odd and did not stop the reading. */
  readonly report: (finding: Finding) => void
}

/** The bytes of block `block`, which `structure` is said to lie in. */
export async function readBlock(volume: Ext4Volume, block: number, structure: string): Promise<Uint8Array> {
  const { superblock, image } = volume
  const offsetBytes = block * superblock.blockSizeBytes
  requireBlocks(superblock, { firstBlock: block, blockCount: 1 }, { structure, offsetBytes })
  if (offsetBytes + superblock.blockSizeBytes > image.sizeBytes) {
    throw new FormatError({ structure, offsetBytes }, `the image ends at byte ${image.sizeBytes}`)
  }
  return await readBytes(image, offsetBytes, superblock.blockSizeBytes)
}

/** Throws FormatError unless the blocks are of those that the file system may give to a file. */
export function requireBlocks(
  superblock: Superblock,
  run: { readonly firstBlock: number; readonly blockCount: number },
  place: { readonly structure: string; readonly offsetBytes: number },
): void {
  const { firstBlock, blockCount } = run
  // The first block holds the superblock, or lies before the one that does: it is nobody's.
  if (firstBlock > superblock.firstDataBlock && firstBlock + blockCount <= superblock.blockCount) return
  throw new FormatError(
    place,
    `blocks are ${firstBlock} to ${firstBlock + blockCount - 1}, ` +
      `expected ${superblock.firstDataBlock + 1} to ${superblock.blockCount - 1}`,
  )
}
