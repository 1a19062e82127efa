// The block map of ext2 and ext3: the kernel's "ext4 Data Structures and Algorithms", section "Direct/Indirect Block
// Addressing". Twelve pointers to blocks, then one each to a block of pointers, of pointers to such, and once more.
import { FormatError } from '../format-error.ts'
import { RUN_BATCH_LENGTH, type BlockRun, type FileBlocks } from './block-run.ts'
import type { Ext4Inode } from './inode.ts'
import { readBlock, requireBlocks, type Ext4Volume } from './volume.ts'

const DIRECT_COUNT = 12
const LEVEL_MAX = 3

/** Pointers, each to a subtree of `span` blocks of the file; of level 0 they point to those blocks themselves. */
type Pointers = {
  readonly view: DataView
  readonly level: number
  readonly span: number
  /** The block of the file that the first pointer is about. */
  readonly fileBlock: number
  readonly count: number
  readonly place: { readonly structure: string; readonly offsetBytes: number }
  next: number
}

/**
 * The runs of blocks of a file that lie in `blocks`, ascending. A pointer that is 0 is a hole, as long as all that it
 * could lead to. Levels only go down; and as no two pointers may lead to one block, a file that has more blocks than
 * the file system is damaged, so that a map which leads to itself ends.
 */
export async function* indirectRuns(
  volume: Ext4Volume,
  inode: Ext4Inode,
  blocks: FileBlocks,
): AsyncGenerator<readonly BlockRun[]> {
  const out = new RunCollector(volume, inode)
  const perBlock = volume.superblock.blockSizeBytes / 4
  let rootBlock = 0
  for (let level = 0; level <= LEVEL_MAX; level += 1) {
    const root = rootPointers(inode, { level, perBlock, fileBlock: rootBlock })
    rootBlock += root.count * root.span
    if (rootBlock <= blocks.start) continue
    if (root.fileBlock >= blocks.end) break
    root.next = firstWanted(root, blocks)
    yield* subtreeRuns(volume, { root, blocks, out, inode })
  }
  yield* out.rest()
}

async function* subtreeRuns(
  volume: Ext4Volume,
  walk: {
    readonly root: Pointers
    readonly blocks: FileBlocks
    readonly out: RunCollector
    readonly inode: Ext4Inode
  },
): AsyncGenerator<readonly BlockRun[]> {
  const { blocks, out, inode } = walk
  const stack = [walk.root]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.level === 0) {
      takePointers(top, blocks, out)
      stack.pop()
      if (out.isFull) yield out.take()
      continue
    }
    const fileBlock = top.fileBlock + top.next * top.span
    if (top.next >= top.count || fileBlock >= blocks.end) {
      stack.pop()
      continue
    }
    const pointer = top.view.getUint32(top.next * 4, true)
    top.next += 1
    if (pointer === 0) continue
    out.count(1, top.place)
    blocks.onNode?.(pointer)
    const child = await readPointers(volume, { block: pointer, parent: top, fileBlock, inode })
    child.next = firstWanted(child, blocks)
    stack.push(child)
  }
}

/** The pointers in the inode of one level: the direct ones, or the one to a tree. */
function rootPointers(
  inode: Ext4Inode,
  { level, perBlock, fileBlock }: { level: number; perBlock: number; fileBlock: number },
): Pointers {
  const { blockMap, number, place } = inode
  const start = level === 0 ? 0 : DIRECT_COUNT + level - 1
  const count = level === 0 ? DIRECT_COUNT : 1
  return {
    view: new DataView(blockMap.buffer, blockMap.byteOffset + start * 4, count * 4),
    level,
    span: perBlock ** level,
    fileBlock,
    count,
    place: { structure: `block map of ext4 inode ${number}`, offsetBytes: place.offsetBytes },
    next: 0,
  }
}

async function readPointers(
  volume: Ext4Volume,
  from: {
    readonly block: number
    readonly parent: Pointers
    readonly fileBlock: number
    readonly inode: Ext4Inode
  },
): Promise<Pointers> {
  const { block, parent, fileBlock, inode } = from
  const structure = `indirect block of ext4 inode ${inode.number}`
  const bytes = await readBlock(volume, block, structure)
  const count = bytes.byteLength / 4
  return {
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    level: parent.level - 1,
    span: parent.span / count,
    fileBlock,
    count,
    place: { structure, offsetBytes: block * volume.superblock.blockSizeBytes },
    next: 0,
  }
}

function firstWanted(pointers: Pointers, blocks: FileBlocks): number {
  return Math.max(0, Math.floor((blocks.start - pointers.fileBlock) / pointers.span))
}

/** The runs among pointers to blocks of the file. */
function takePointers(pointers: Pointers, blocks: FileBlocks, out: RunCollector): void {
  const { view, fileBlock, place } = pointers
  const end = Math.min(pointers.count, blocks.end - fileBlock)
  let index = pointers.next
  while (index < end) {
    const first = view.getUint32(index * 4, true)
    let next = index + 1
    if (first !== 0) {
      while (next < end && view.getUint32(next * 4, true) === first + (next - index)) next += 1
      out.add({ fileBlock: fileBlock + index, firstBlock: first, blockCount: next - index }, place)
    }
    index = next
  }
}

/** Joins runs that go on in the next block of pointers, and counts what the file takes. */
class RunCollector {
  readonly #volume: Ext4Volume
  readonly #inode: Ext4Inode
  #batch: BlockRun[] = []
  #last: BlockRun | null = null
  #blockCount = 0

  constructor(volume: Ext4Volume, inode: Ext4Inode) {
    this.#volume = volume
    this.#inode = inode
  }

  get isFull(): boolean {
    return this.#batch.length >= RUN_BATCH_LENGTH
  }

  add(run: Omit<BlockRun, 'unwritten'>, place: Pointers['place']): void {
    requireBlocks(this.#volume.superblock, run, place)
    this.count(run.blockCount, place)
    const last = this.#last
    if (
      last !== null &&
      last.fileBlock + last.blockCount === run.fileBlock &&
      last.firstBlock + last.blockCount === run.firstBlock
    ) {
      this.#last = { ...last, blockCount: last.blockCount + run.blockCount }
      return
    }
    if (last !== null) this.#batch.push(last)
    this.#last = { ...run, unwritten: false }
  }

  count(blockCount: number, place: Pointers['place']): void {
    this.#blockCount += blockCount
    const { blockCount: blockCountMax } = this.#volume.superblock
    if (this.#blockCount <= blockCountMax) return
    throw new FormatError(
      place,
      `inode ${this.#inode.number} has more blocks than the ${blockCountMax} of the file system`,
    )
  }

  take(): readonly BlockRun[] {
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  *rest(): Generator<readonly BlockRun[]> {
    if (this.#last !== null) this.#batch.push(this.#last)
    this.#last = null
    if (this.#batch.length > 0) yield this.take()
  }
}
