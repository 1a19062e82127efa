import type { BlockRun, FileBlocks } from './block-run.ts'
import { overlayRuns } from './fast-commit/overlay-runs.ts'
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
  const onVolume = isFlagged(inode, InodeFlag.Extents)
    ? extentTreeRuns(volume, inode, blocks)
    : indirectRuns(volume, inode, blocks)
  const changed = volume.changes?.inodes.get(inode.number)?.runs ?? []
  return changed.length === 0 ? onVolume : overlayRuns(onVolume, changed, blocks)
}
