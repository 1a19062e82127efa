// Finds a superblock that is sound: the first, or one of its backups, which lie at the start of other groups.
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import type { Finding } from '../finding.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { groupFirstBlock } from './group-layout.ts'
import { SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE } from './superblock-layout.ts'
import { parseSuperblock, type Superblock } from './superblock.ts'

export type FoundSuperblock = {
  readonly superblock: Superblock
  /**
   * A backup is as old as the last change of the file system's shape: whether it was unmounted cleanly, and
   * whether its journal needs recovery, is not known then.
   */
  readonly isBackup: boolean
}

/** Every size of block, and the groups of the size that mke2fs gives them when it is not told otherwise. */
const USUAL_GEOMETRIES = [
  { blockSizeBytes: 1024, firstBlock: 1, blocksPerGroup: 8192 },
  { blockSizeBytes: 2048, firstBlock: 0, blocksPerGroup: 16384 },
  { blockSizeBytes: 4096, firstBlock: 0, blocksPerGroup: 32768 },
  { blockSizeBytes: 8192, firstBlock: 0, blocksPerGroup: 65528 },
  { blockSizeBytes: 16384, firstBlock: 0, blocksPerGroup: 65528 },
  { blockSizeBytes: 32768, firstBlock: 0, blocksPerGroup: 65528 },
  { blockSizeBytes: 65536, firstBlock: 0, blocksPerGroup: 65528 },
] as const
const BACKUP_GROUPS = [1, 3, 5, 7, 9]

/**
 * The superblock of the image; a backup, with a finding, when the first one is damaged. Throws the FormatError of
 * the first one when there is no sound backup where backups usually lie, UnmappedError as parseSuperblock() does.
 */
export async function readSuperblock(
  image: FrozenImage,
  report: (finding: Finding) => void,
): Promise<FoundSuperblock> {
  try {
    return { superblock: await superblockAt(image, SUPERBLOCK_OFFSET), isBackup: false }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const found = await findBackup(image)
    if (found === null) throw error
    report({
      structure: error.structure,
      offsetBytes: error.offsetBytes,
      found: `it is damaged (${error.message}); its backup at byte ${found.offsetBytes} is used`,
    })
    return { superblock: found.superblock, isBackup: true }
  }
}

async function superblockAt(image: FrozenImage, offsetBytes: number): Promise<Superblock> {
  const place = { structure: 'ext4 superblock', offsetBytes }
  if (offsetBytes + SUPERBLOCK_SIZE > image.sizeBytes) {
    throw new FormatError(place, `the image ends at byte ${image.sizeBytes}`)
  }
  return parseSuperblock(await readBytes(image, offsetBytes, SUPERBLOCK_SIZE), place)
}

async function findBackup(
  image: FrozenImage,
): Promise<{ readonly superblock: Superblock; readonly offsetBytes: number } | null> {
  for (const { blockSizeBytes, firstBlock, blocksPerGroup } of USUAL_GEOMETRIES) {
    for (const group of BACKUP_GROUPS) {
      const offsetBytes = (firstBlock + group * blocksPerGroup) * blockSizeBytes
      if (offsetBytes + SUPERBLOCK_SIZE > image.sizeBytes) break
      try {
        const superblock = await superblockAt(image, offsetBytes)
        // What lies there may be part of a file that is itself an image.
        const isAtHome =
          superblock.blockSizeBytes === blockSizeBytes &&
          superblock.groupNumber === group &&
          groupFirstBlock(superblock, group) * blockSizeBytes === offsetBytes
        if (isAtHome) return { superblock, offsetBytes }
      } catch (error) {
        if (!(error instanceof FormatError || error instanceof UnmappedError)) throw error
      }
    }
  }
  return null
}
