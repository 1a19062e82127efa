// Which blocks are in use, from the block bitmaps: the kernel's "ext4 Data Structures and Algorithms", sections
// "Block and inode Bitmaps", "Flexible Block Groups" and "Bigalloc". What is not proven free is in use.
import { hex } from '../hex.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Range, RangeBatch } from '../../domain/range.ts'
import { BATCH_LENGTH } from '../../extents/batches.ts'
import { ReadsAhead } from '../../images/reads-ahead.ts'
import type { Finding } from '../finding.ts'

import { countSet, setBits, visitSetRuns } from './cluster-bitmap.ts'
import { blockBitmapChecksum } from './descriptor-checksum.ts'
import { BLOCKS_UNINITIALISED, FROM_PRIMARY, type GroupDescriptors } from './group-descriptors.ts'
import { groupBlockCount, groupFirstBlock } from './group-layout.ts'
import { metadataRuns, MetadataPlaces, type BlockSpan } from './metadata-places.ts'
import type { Superblock } from './superblock.ts'

export type AllocationSource = {
  readonly image: FrozenImage
  readonly superblock: Superblock
  readonly descriptors: GroupDescriptors
  /** Blocks that are in use whatever a bitmap says: those of the journal. In any order. */
  readonly journalRuns: readonly BlockSpan[]
  readonly report: (finding: Finding) => void
}

/**
 * The ranges in use, ascending, metadata included: from byte 0 to the end of the last block, as far as the image
 * goes. A group whose bitmap or descriptor is damaged, or whose count of free blocks disagrees, is wholly in use.
 *
 * Only for a file system whose bitmaps prove something (allocation-proof.ts).
 */
export async function* usedRanges(source: AllocationSource, signal: AbortSignal): AsyncGenerator<RangeBatch> {
  const { superblock, image } = source
  const { blockSizeBytes, blockCount, firstDataBlock, groupCount } = superblock
  const endBytes = Math.min(image.sizeBytes, blockCount * blockSizeBytes)
  const out = new RangeBatches()
  const add = (block: number, end: number): void => {
    const offset = block * blockSizeBytes
    out.add(offset, Math.min(endBytes, end * blockSizeBytes))
  }
  if (firstDataBlock > 0) add(0, firstDataBlock)
  await using groups = new GroupAllocation(source)
  for (let group = 0; group < groupCount; group += 1) {
    signal.throwIfAborted()
    const reading = groups.visitUsed(group, add)
    if (reading !== null) await reading
    if (out.isFull) yield out.take()
  }
  yield* out.rest()
}

/**
 * Joins ranges that touch, and gathers them. What BatchCollector does, for numbers: with an object only for each range
 * that comes out, as a fragmented file system has a hundred million of them.
 */
class RangeBatches {
  #batch: Range[] = []
  /** Not in the batch yet: the next range may touch it. */
  #offset = 0
  #end = 0

  get isFull(): boolean {
    return this.#batch.length >= BATCH_LENGTH
  }

  add(offset: number, end: number): void {
    if (offset >= end) return
    if (offset !== this.#end) {
      this.#close()
      this.#offset = offset
    }
    this.#end = end
  }

  take(): RangeBatch {
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  *rest(): Generator<RangeBatch> {
    this.#close()
    if (this.#batch.length > 0) yield this.take()
  }

  #close(): void {
    if (this.#end > this.#offset) {
      this.#batch.push({ offset: this.#offset, length: this.#end - this.#offset })
    }
  }
}

type Visit = (block: number, end: number) => void

type GroupParts = {
  readonly group: number
  /** Its blocks. */
  readonly window: BlockSpan
  /** Those of them that are metadata. */
  readonly metadata: readonly BlockSpan[]
}

function clusterCount({ blocksPerCluster }: Superblock, { count }: BlockSpan): number {
  return Math.ceil(count / blocksPerCluster)
}

class GroupAllocation implements AsyncDisposable {
  readonly #source: AllocationSource
  readonly #places: MetadataPlaces
  readonly #words: Uint32Array
  readonly #bytes: Uint8Array
  readonly #hasDamagedDescriptor: boolean
  readonly #bitmaps: ReadsAhead

  constructor(source: AllocationSource) {
    const { superblock, descriptors } = source
    this.#source = source
    this.#places = new MetadataPlaces([...metadataRuns(superblock, descriptors), ...source.journalRuns])
    this.#words = new Uint32Array(superblock.blockSizeBytes / 4)
    this.#bytes = new Uint8Array(this.#words.buffer)
    this.#hasDamagedDescriptor = descriptors.source.some((from) => from !== FROM_PRIMARY)
    this.#bitmaps = new ReadsAhead(source.image, this.#bitmapRanges())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bitmaps[Symbol.asyncDispose]()
  }

  /**
   * Calls `visit` with each run of used blocks of `group`, ascending: at once where no bits are to be read, which is null. Groups
   * must be asked for in order, each when the one before is done.
   */
  visitUsed(group: number, visit: Visit): Promise<void> | null {
    const { superblock } = this.#source
    const block = groupFirstBlock(superblock, group)
    const window = { block, count: groupBlockCount(superblock, group) }
    // The runs are taken in any case, so that those of the next group are next.
    const metadata = this.#places.within(window)
    const isEmpty = this.#isUninitialised(group) && metadata.length === 0 && !this.#hasDamagedDescriptor
    if (!isEmpty) return this.#visitBits({ group, window, metadata }, visit)
    // Of a large file system that is not full, nearly all groups.
    const wrong = this.#wrongCount(group, clusterCount(superblock, window))
    if (wrong !== null) this.#visitWrong({ group, window, wrong }, visit)
    return null
  }

  async #visitBits(of: GroupParts, visit: Visit): Promise<void> {
    const { superblock } = this.#source
    const { group, window } = of
    const wrong = await this.#load(of)
    if (wrong !== null) {
      this.#visitWrong({ group, window, wrong }, visit)
      return
    }
    const { blocksPerCluster } = superblock
    visitSetRuns(this.#words, clusterCount(superblock, window), (start, stop) => {
      const end = Math.min(window.count, stop * blocksPerCluster)
      visit(window.block + start * blocksPerCluster, window.block + end)
    })
  }

  #visitWrong(
    { group, window, wrong }: Pick<GroupParts, 'group' | 'window'> & { readonly wrong: string },
    visit: Visit,
  ): void {
    this.#reportWrong(group, wrong)
    visit(window.block, window.block + window.count)
  }

  /** Brings the bits of a group into memory; returns what is wrong with them, as the end of a sentence, or null. */
  async #load({ group, window, metadata }: GroupParts): Promise<string | null> {
    const isUninitialised = this.#isUninitialised(group)
    const wrong = isUninitialised ? this.#clear() : await this.#read(group)
    if (wrong !== null) return wrong
    const count = clusterCount(this.#source.superblock, window)
    const usedBefore = countSet(this.#words, count)
    const added = this.#mark(metadata, window)
    if (!isUninitialised && added > 0) return `it calls ${added} blocks of metadata free`
    return this.#wrongCount(group, count - usedBefore - (isUninitialised ? added : 0))
  }

  #wrongCount(group: number, free: number): string | null {
    const expected = this.#source.descriptors.freeClusters[group] ?? 0
    return free === expected ? null : `it calls ${free} blocks free, its descriptor ${expected}`
  }

  /** A bitmap that was never written: only metadata is in use, which the descriptors tell, when all are sound. */
  #clear(): string | null {
    this.#words.fill(0)
    return this.#hasDamagedDescriptor
      ? 'it was never written, and a descriptor of another group is damaged'
      : null
  }

  async #read(group: number): Promise<string | null> {
    const { superblock, descriptors } = this.#source
    if (descriptors.source[group] !== FROM_PRIMARY) return 'the descriptor of its group is damaged'
    if (!this.#isInImage(group)) return 'it lies beyond the end of the image'
    this.#bytes.set(await this.#bitmaps.next())
    const checksum = blockBitmapChecksum(superblock, this.#bytes)
    const found = descriptors.blockBitmapChecksum[group] ?? 0
    if (checksum === null || checksum === found) return null
    return `its checksum is ${hex(checksum)}, expected ${hex(found)}`
  }

  /** Marks runs of blocks, and returns how many clusters were not marked before. */
  #mark(runs: readonly BlockSpan[], window: BlockSpan): number {
    const { blocksPerCluster } = this.#source.superblock
    let added = 0
    for (const run of runs) {
      const first = Math.floor((run.block - window.block) / blocksPerCluster)
      const end = Math.ceil((run.block + run.count - window.block) / blocksPerCluster)
      added += setBits(this.#words, { block: first, count: end - first })
    }
    return added
  }

  /** Of the bitmaps that are read, in the order of their groups. */
  *#bitmapRanges(): Generator<Range> {
    const { superblock, descriptors } = this.#source
    for (let group = 0; group < superblock.groupCount; group += 1) {
      if (this.#isUninitialised(group) || descriptors.source[group] !== FROM_PRIMARY) continue
      if (!this.#isInImage(group)) continue
      yield { offset: this.#bitmapOffset(group), length: superblock.blockSizeBytes }
    }
  }

  #isUninitialised(group: number): boolean {
    return ((this.#source.descriptors.flags[group] ?? 0) & BLOCKS_UNINITIALISED) !== 0
  }

  #isInImage(group: number): boolean {
    const { image, superblock } = this.#source
    return this.#bitmapOffset(group) + superblock.blockSizeBytes <= image.sizeBytes
  }

  #bitmapOffset(group: number): number {
    return (this.#source.descriptors.blockBitmap[group] ?? 0) * this.#source.superblock.blockSizeBytes
  }

  #reportWrong(group: number, wrong: string): void {
    this.#source.report({
      structure: `ext4 block bitmap of group ${group}`,
      offsetBytes: this.#bitmapOffset(group),
      found: `${wrong}; all blocks of the group are taken as in use`,
    })
  }
}
