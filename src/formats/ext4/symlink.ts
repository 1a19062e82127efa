// Symbolic links: the kernel's "ext4 Data Structures and Algorithms", section "Symbolic Links".
import { FormatError, UnmappedError } from '../format-error.ts'
import { readContent } from './attribute-value.ts'
import { BLOCK_MAP_SIZE, InodeFlag } from './inode-layout.ts'
import { isFlagged, unreadableContent, type Ext4Inode } from './inode.ts'
import type { Ext4Volume } from './volume.ts'

/** The bytes of the target. A target of fewer than 60 bytes lies where other files have their block map. */
export async function readSymlinkTarget(volume: Ext4Volume, inode: Ext4Inode): Promise<Uint8Array> {
  const unreadable = unreadableContent(inode)
  if (unreadable !== null) {
    throw new UnmappedError(unreadable, `Cannot read ext4 inode ${inode.number}: found an ${unreadable}`)
  }
  const { blockSizeBytes } = volume.superblock
  if (inode.sizeBytes === 0 || inode.sizeBytes > blockSizeBytes) {
    throw new FormatError(inode.place, `target has ${inode.sizeBytes} bytes, expected 1 to ${blockSizeBytes}`)
  }
  const target =
    isFlagged(inode, InodeFlag.InlineData) || hasBlocks(inode)
      ? await readContent(volume, inode)
      : inode.blockMap.slice(0, inode.sizeBytes)
  if (target.includes(0)) throw new FormatError(inode.place, 'its target has a zero byte')
  return target
}

/** Whether a link has blocks, and not its target where other files have their block map. */
export function hasBlocks(inode: Ext4Inode): boolean {
  if (isFlagged(inode, InodeFlag.InlineData)) return false
  if (inode.sizeBytes >= BLOCK_MAP_SIZE) return true
  // A short link with the flag and with blocks of its own is in those; one without blocks has the flag by mistake.
  return isFlagged(inode, InodeFlag.Extents) && inode.sectorCount > 0
}
