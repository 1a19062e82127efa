import type { BlockRun, FileBlocks } from './block-run.ts'
import { extentTreeRuns } from './extent-tree.ts'
import { indirectRuns } from './indirect-blocks.ts'
import { InodeFlag } from './inode-layout.ts'
import { isFlagged, type Ext4Inode } from './inode.ts'
import type { Ext4Volume } from './volume.ts'

/**
 * The runs of allocated blocks of a file that touch `blocks`, ascending, however they are kept. Not for files whose
 * content lies in the inode.
 */
export function fileBlockRuns(
  volume: Ext4Volume,
  inode: Ext4Inode,
  blocks: FileBlocks,
): AsyncGenerator<readonly BlockRun[]> {
  if (isFlagged(inode, InodeFlag.Extents)) return extentTreeRuns(volume, inode, blocks)
  return indirectRuns(volume, inode, blocks)
}
