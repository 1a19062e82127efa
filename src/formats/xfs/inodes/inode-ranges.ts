import type { Range, RangeBatch } from '../../../domain/range.ts'
import { endOfForks } from '../extent-list.ts'
import { forkExtents } from '../fork-extents.ts'
import type { Inode } from '../inode.ts'
import type { XfsVolume } from '../volume.ts'

/** The blocks of both forks of an inode and of their trees; the content only when it is the inode's alone. */
export async function* inodeRanges(
  volume: XfsVolume,
  inode: Inode,
  { shared, signal }: { readonly shared: boolean; readonly signal: AbortSignal },
): AsyncGenerator<RangeBatch> {
  const { superblock } = volume
  const { blockSizeBytes } = superblock
  for (const fork of [inode.data, inode.attributes]) {
    if (fork === null || fork.format === 'device' || fork.format === 'local') continue
    const isContent = fork.name === 'data'
    // Of a realtime file, what the fork points to lies elsewhere.
    if (isContent && inode.isRealtime) continue
    let nodes: Range[] = []
    const onNode = (offset: number): void => void nodes.push({ offset, length: blockSizeBytes })
    const all = { startBlock: 0, endBlock: endOfForks(superblock), onNode }
    for await (const extents of forkExtents(volume, { inode, fork }, all)) {
      signal.throwIfAborted()
      if (!isContent || shared || !inode.isReflinked) {
        yield extents.map(({ offsetBytes, blockCount }) => ({
          offset: offsetBytes,
          length: blockCount * blockSizeBytes,
        }))
      }
      if (nodes.length > 0) yield nodes
      nodes = []
    }
    if (nodes.length > 0) yield nodes
  }
}
