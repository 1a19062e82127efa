// The free extents of an allocation group, from the tree of them by block, and the proof that they are free: both
// trees hold the same extents, their totals are those of the AGF, and nothing that is known to be in use is in them.
import type { Range, RangeBatch } from '../../domain/range.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { agBlockCount, agOffsetBytes, splitFsBlock } from './addresses.ts'
import { firstBlockAfterHeaders, readAgFree, readAgFreeList, type AgFree } from './ag-headers.ts'
import type { BtreeBlock } from './btree-block.ts'
import { FREE_BY_BLOCK, FREE_BY_SIZE, type BtreeKind } from './btree-kinds.ts'
import type { XfsVolume } from './volume.ts'
import { walkBtree, type BtreeWalk } from './walk-btree.ts'

/** As many blocks hold 28 million free extents at the least; an AG with more counts as in use as a whole. */
const TREE_BLOCKS_MAX = 1_000_000

/** The same for both trees, in whatever order their extents come. */
type Tally = { count: number; blocks: number; longest: number; mixed: number }

/**
 * Reads both trees of the AG. Throws FormatError when they are not sound, do not agree with each other or with the
 * AGF, or call free what is not: then nothing in the AG is known to be free.
 */
export async function proveFreeSpace(
  volume: XfsVolume,
  agNumber: number,
  signal: AbortSignal,
): Promise<AgFree> {
  const header = await readAgFree(volume, agNumber)
  const used = new Set(await readAgFreeList(volume, header))
  const byBlock = await tallyTree(volume, { header, kind: FREE_BY_BLOCK, used }, signal)
  const bySize = await tallyTree(volume, { header, kind: FREE_BY_SIZE, used }, signal)
  const { place, freeBlocks, longestFree } = header
  if (byBlock.count !== bySize.count || byBlock.blocks !== bySize.blocks || byBlock.mixed !== bySize.mixed) {
    throw new FormatError(
      place,
      `its trees hold ${byBlock.count} free extents (${byBlock.blocks} blocks) by block and ` +
        `${bySize.count} (${bySize.blocks} blocks) by size, which are not the same`,
    )
  }
  if (byBlock.blocks !== freeBlocks || byBlock.longest !== longestFree) {
    throw new FormatError(
      place,
      `it says ${freeBlocks} free blocks, ${longestFree} at once, its trees hold ` +
        `${byBlock.blocks}, ${byBlock.longest} at once`,
    )
  }
  await requireFree(volume, { header, used }, signal)
  return header
}

/** Blocks of an AG. */
export type AgWindow = { readonly first: number; readonly end: number }

/** The free extents of an AG that was proven, ascending, as bytes of the volume; at least those in the window. */
export async function* freeRanges(
  volume: XfsVolume,
  { header, window }: { readonly header: AgFree; readonly window?: AgWindow },
  signal: AbortSignal,
): AsyncGenerator<RangeBatch> {
  const { superblock } = volume
  const agOffset = agOffsetBytes(superblock, header.agNumber)
  const tree = { header, kind: FREE_BY_BLOCK }
  for await (const leaf of leavesOf(volume, tree, window === undefined ? {} : { window })) {
    signal.throwIfAborted()
    const batch: Range[] = []
    for (let index = 0; index < leaf.count; index += 1) {
      const { start, length } = extentAt(leaf, index)
      const offset = agOffset + start * superblock.blockSizeBytes
      batch.push({ offset, length: length * superblock.blockSizeBytes })
    }
    yield batch
  }
}

type FreeTree = { readonly header: AgFree; readonly kind: BtreeKind }

function leavesOf(
  volume: XfsVolume,
  { header, kind }: FreeTree,
  options: Pick<BtreeWalk, 'onBlock' | 'window'> = {},
): AsyncGenerator<BtreeBlock> {
  const isByBlock = kind === FREE_BY_BLOCK
  const { agNumber, place } = header
  const root = {
    pointer: isByBlock ? header.byBlockRoot : header.bySizeRoot,
    level: (isByBlock ? header.byBlockLevels : header.bySizeLevels) - 1,
    place,
  }
  return walkBtree(volume, { kind, agNumber, owner: agNumber, ...options }, [root])
}

/** Checks each extent by itself; puts the blocks of the tree to those in `used`. */
async function tallyTree(
  volume: XfsVolume,
  tree: FreeTree & { readonly used: Set<number> },
  signal: AbortSignal,
): Promise<Tally> {
  const blocks = agBlockCount(volume.superblock, tree.header.agNumber)
  const first = firstBlockAfterHeaders(volume.superblock)
  const tally = { count: 0, blocks: 0, longest: 0, mixed: 0 }
  const onBlock = ({ place }: BtreeBlock, pointer: number): void => {
    if (tree.used.has(pointer)) throw new FormatError(place, 'its block is also used for something else')
    if (tree.used.size === TREE_BLOCKS_MAX) throw new FormatError(place, 'its AG has too many such blocks')
    tree.used.add(pointer)
  }
  for await (const leaf of leavesOf(volume, tree, { onBlock })) {
    signal.throwIfAborted()
    for (let index = 0; index < leaf.count; index += 1) {
      const { start, length } = extentAt(leaf, index)
      if (length === 0 || start < first || start + length > blocks) {
        throw new FormatError(leaf.place, `its extent ${index} is ${length} blocks at ${start} of ${blocks}`)
      }
      tally.count += 1
      tally.blocks += length
      tally.longest = Math.max(tally.longest, length)
      tally.mixed = (tally.mixed + mix(start, length)) >>> 0
    }
  }
  return tally
}

/** Throws FormatError when extents overlap, or hold a block of `used` or of the log. */
async function requireFree(
  volume: XfsVolume,
  { header, used }: { readonly header: AgFree; readonly used: ReadonlySet<number> },
  signal: AbortSignal,
): Promise<void> {
  const usedBlocks = Uint32Array.from(used).toSorted()
  const log = logBlocks(volume, header.agNumber)
  let next = 0
  let lastEnd = 0
  for await (const leaf of leavesOf(volume, { header, kind: FREE_BY_BLOCK })) {
    signal.throwIfAborted()
    for (let index = 0; index < leaf.count; index += 1) {
      const { start, length } = extentAt(leaf, index)
      const end = start + length
      if (start < lastEnd) throw new FormatError(leaf.place, `its extent ${index} overlaps the one before`)
      lastEnd = end
      while ((usedBlocks[next] ?? Infinity) < start) next += 1
      if ((usedBlocks[next] ?? Infinity) < end) throw isUsed(leaf.place, index, 'a block of its trees')
      if (start < log.end && end > log.start) throw isUsed(leaf.place, index, 'the log')
    }
  }
}

function isUsed(place: StructurePlace, index: number, what: string): FormatError {
  return new FormatError(place, `its extent ${index} holds ${what}`)
}

function logBlocks({ superblock }: XfsVolume, agNumber: number): { start: number; end: number } {
  const { startFsBlock, blockCount } = superblock.log
  const none = { start: 0, end: 0 }
  if (startFsBlock === null) return none
  const first = splitFsBlock(superblock, startFsBlock)
  return first.agNumber === agNumber ? { start: first.agBlock, end: first.agBlock + blockCount } : none
}

function extentAt(leaf: BtreeBlock, index: number): { start: number; length: number } {
  const offset = leaf.itemsOffset + index * 8
  return { start: leaf.view.getUint32(offset), length: leaf.view.getUint32(offset + 4) }
}

/** Its sum over all extents is that of the same extents only, but for one chance in four thousand million. */
function mix(start: number, length: number): number {
  let mixed = Math.imul(start ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(length + 0x7f4a_7c15, 0xc2b2_ae35)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x27d4_eb2f)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
