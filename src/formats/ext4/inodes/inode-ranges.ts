import type { Range, RangeBatch } from '../../../domain/range.ts'
import { ATTRIBUTE_MAGIC } from '../inode-attributes.ts'
import { fileBlockRuns } from '../file-blocks.ts'
import { InodeFlag } from '../inode-layout.ts'
import { isFlagged, type Ext4Inode } from '../inode.ts'
import { hasBlocks } from '../symlink.ts'
import { readBlock, type Ext4Volume } from '../volume.ts'

/** No file has more. */
const FILE_BLOCKS_MAX = 2 ** 32
const REFERENCE_COUNT_OFFSET = 4

/** The blocks of an inode: of its content, of the map of it, and of its attributes unless other inodes have them too. */
export async function* inodeRanges(
  volume: Ext4Volume,
  inode: Ext4Inode,
  { shared, signal }: { readonly shared: boolean; readonly signal: AbortSignal },
): AsyncGenerator<RangeBatch> {
  const { blockSizeBytes } = volume.superblock
  const rangeOf = (block: number, count: number): Range => ({
    offset: block * blockSizeBytes,
    length: count * blockSizeBytes,
  })
  const { attributeBlock } = inode
  if (attributeBlock > 0 && (shared || !(await isShared(volume, inode)))) yield [rangeOf(attributeBlock, 1)]
  if (isFlagged(inode, InodeFlag.InlineData)) return
  const { kind } = inode
  if (kind !== 'file' && kind !== 'directory' && !(kind === 'symlink' && hasBlocks(inode))) return
  let nodes: Range[] = []
  const onNode = (block: number): void => void nodes.push(rangeOf(block, 1))
  for await (const runs of fileBlockRuns(volume, inode, { start: 0, end: FILE_BLOCKS_MAX, onNode })) {
    signal.throwIfAborted()
    yield runs.map(({ firstBlock, blockCount }) => rangeOf(firstBlock, blockCount))
    if (nodes.length > 0) yield nodes
    nodes = []
  }
  if (nodes.length > 0) yield nodes
}

/** Files with the same attributes have one block for them. */
async function isShared(volume: Ext4Volume, { attributeBlock, number }: Ext4Inode): Promise<boolean> {
  const bytes = await readBlock(volume, attributeBlock, `attribute block of ext4 inode ${number}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(0, true) !== ATTRIBUTE_MAGIC || view.getUint32(REFERENCE_COUNT_OFFSET, true) !== 1
}
