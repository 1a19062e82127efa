// The blocks that hold the structure of the file system itself and are in use whatever a bitmap says of them.
import type { Superblock } from './superblock.ts'
import { inodeTableBlockCount, UNREADABLE, type GroupDescriptors } from './group-descriptors.ts'
import {
  descriptorBlocksBehindSuperblock,
  descriptorsPerBlock,
  groupFirstBlock,
  hasSuperblock,
  metaDescriptorBlock,
  superblockBlock,
} from './group-layout.ts'

/** Blocks that lie one after the other. */
export type BlockSpan = { readonly block: number; readonly count: number }

/** Runs of blocks, ascending, in two columns: of a file system with scattered metadata three for each group, and some more. */
export class MetadataPlaces {
  readonly #first: Float64Array
  readonly #end: Float64Array
  #index = 0
  /** Where the runs that began before `#index` end. */
  #reach = 0

  constructor(runs: readonly BlockSpan[]) {
    const ascending = runs.toSorted((a, b) => a.block - b.block)
    this.#first = Float64Array.from(ascending, (run) => run.block)
    this.#end = Float64Array.from(ascending, (run) => run.block + run.count)
  }

  /** The parts of the runs that lie in `window`; windows must ascend and not overlap. Parts may overlap. */
  within(window: BlockSpan): readonly BlockSpan[] {
    const windowEnd = window.block + window.count
    const parts: BlockSpan[] = []
    if (this.#reach > window.block) parts.push(part(window.block, Math.min(this.#reach, windowEnd)))
    for (;;) {
      const first = this.#first[this.#index]
      const end = this.#end[this.#index]
      if (first === undefined || end === undefined || first >= windowEnd) return parts
      this.#index += 1
      this.#reach = Math.max(this.#reach, end)
      if (end > window.block) parts.push(part(Math.max(first, window.block), Math.min(end, windowEnd)))
    }
  }
}

function part(block: number, end: number): BlockSpan {
  return { block, count: end - block }
}

/** Superblocks, descriptors, bitmaps and inode tables of all groups, as far as the descriptors are readable. */
export function metadataRuns(superblock: Superblock, descriptors: GroupDescriptors): BlockSpan[] {
  const { count, source, blockBitmap, inodeBitmap, inodeTable } = descriptors
  const runs: BlockSpan[] = []
  for (let group = 0; group < count; group += 1) pushCopies(runs, superblock, group)
  const tables = { places: inodeTable, blockCount: inodeTableBlockCount(superblock) }
  const bitmaps = [blockBitmap, inodeBitmap].map((places) => ({ places, blockCount: 1 }))
  for (const { places, blockCount } of [...bitmaps, tables]) {
    // Those of one kind lie side by side for many groups: a run for all of them.
    let last: { block: number; count: number } | null = null
    for (let group = 0; group < count; group += 1) {
      if (source[group] === UNREADABLE) continue
      const block = places[group] ?? 0
      if (last !== null && last.block + last.count === block) {
        last.count += blockCount
        continue
      }
      last = { block, count: blockCount }
      runs.push(last)
    }
  }
  return runs
}

/** The copies of superblock and descriptors that a group begins with, and the room to grow behind them. */
function pushCopies(runs: BlockSpan[], superblock: Superblock, group: number): void {
  const holdsSuperblock = hasSuperblock(superblock, group)
  const perBlock = descriptorsPerBlock(superblock)
  const behindSuperblock = descriptorBlocksBehindSuperblock(superblock)
  if (holdsSuperblock) {
    const block = superblockBlock(superblock, group)
    // Block 0 belongs to group 0 even where the superblock lies in block 1.
    const first = Math.min(block, groupFirstBlock(superblock, group))
    runs.push({ block: first, count: block - first + 1 })
  }
  const metaGroup = Math.floor(group / perBlock)
  if (metaGroup < behindSuperblock || !superblock.features.metaBlockGroups) {
    const count = behindSuperblock + superblock.reservedDescriptorBlocks
    if (holdsSuperblock && count > 0) runs.push({ block: superblockBlock(superblock, group) + 1, count })
    return
  }
  const index = group % perBlock
  if (index === 0 || index === 1 || index === perBlock - 1) {
    runs.push({ block: metaDescriptorBlock(superblock, group), count: 1 })
  }
}
