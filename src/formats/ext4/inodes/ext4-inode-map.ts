import type { Range, RangeBatch } from '../../../domain/range.ts'
import type { InodeMap, InodeRun, InodeUse } from '../../inode-map.ts'
import { isSharedAttributeBlock } from '../attributes.ts'
import { FROM_PRIMARY, inodeTableBlockCount } from '../group-descriptors.ts'
import { metadataRuns } from '../metadata-places.ts'
import { readInode } from '../read-inode.ts'
import type { Ext4Volume } from '../volume.ts'
import { freeBlockRanges } from './free-blocks.ts'
import { inodeRanges } from './inode-ranges.ts'
import { InodeTables } from './inode-runs.ts'
import { hiddenInodes, inodeUse, isSameInodeState } from './inode-state.ts'
import { parentDirectory } from './parent-directory.ts'

/**
 * Null when several files may have one block, as then a block that changed has no one owner; and when a descriptor is
 * damaged, as its backup does not know which inodes are used.
 */
export function ext4InodeMap(volume: Ext4Volume): InodeMap | null {
  const { superblock, descriptors } = volume
  if (superblock.features.sharedBlocks) return null
  return descriptors.source.every((from) => from === FROM_PRIMARY) ? new Ext4InodeMap(volume) : null
}

class Ext4InodeMap implements InodeMap {
  readonly layout: string
  readonly inodeSizeBytes: number
  readonly #volume: Ext4Volume
  #tables: InodeTables | null = null

  constructor(volume: Ext4Volume) {
    this.#volume = volume
    this.inodeSizeBytes = volume.superblock.inodeSizeBytes
    this.layout = layoutOf(volume)
  }

  *#runs(within: Range): Generator<InodeRun> {
    this.#tables ??= new InodeTables(this.#volume)
    yield* this.#tables.runs(within)
  }

  async *inodeRuns(within: Range, signal: AbortSignal): AsyncGenerator<readonly InodeRun[]> {
    signal.throwIfAborted()
    yield await Promise.resolve([...this.#runs(within)])
  }

  useOf(number: number, inode: Uint8Array): InodeUse {
    return inodeUse(this.#volume.superblock, number, inode)
  }

  isSameInode(before: Uint8Array, after: Uint8Array): boolean {
    return isSameInodeState(before, after)
  }

  async *rangesOf(
    number: number,
    options: { readonly shared: boolean; readonly signal: AbortSignal },
  ): AsyncGenerator<RangeBatch> {
    yield* inodeRanges(this.#volume, await readInode(this.#volume, number), options)
  }

  async *structure(signal: AbortSignal): AsyncGenerator<RangeBatch> {
    const { superblock, descriptors } = this.#volume
    const { blockSizeBytes, mmpBlock } = superblock
    const spans = metadataRuns(superblock, descriptors)
    if (mmpBlock > 0) spans.push({ block: mmpBlock, count: 1 })
    yield spans.map(({ block, count }) => ({
      offset: block * blockSizeBytes,
      length: count * blockSizeBytes,
    }))
    for (const number of hiddenInodes(superblock)) yield* this.rangesOf(number, { shared: true, signal })
  }

  concernsNoFile(before: Uint8Array, after: Uint8Array, offsetBytes: number): boolean {
    return isSharedAttributeBlock(this.#volume, { before, after }, offsetBytes)
  }

  freeRanges(within: Range, signal: AbortSignal): AsyncGenerator<RangeBatch> {
    return freeBlockRanges(this.#volume, within, signal)
  }

  parentOf(directoryNumber: number): Promise<number> {
    return parentDirectory(this.#volume, directoryNumber)
  }
}

function layoutOf({ superblock, descriptors }: Ext4Volume): string {
  const { uuidText, blockSizeBytes, blockCount, inodeCount, inodesPerGroup, inodeSizeBytes } = superblock
  const tables = descriptors.inodeTable.reduce((sum, block) => (sum * 31 + block) % 2 ** 40, 0)
  const numbers = [blockSizeBytes, blockCount, inodeCount, inodesPerGroup, inodeSizeBytes]
  return [uuidText, ...numbers, inodeTableBlockCount(superblock), tables].join(' ')
}
