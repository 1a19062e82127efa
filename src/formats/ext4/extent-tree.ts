// Walks the extent tree of a file: the kernel's "ext4 Data Structures and Algorithms", section "Extent Tree".
import { FormatError } from '../format-error.ts'
import { RUN_BATCH_LENGTH, type BlockRun, type FileBlocks } from './block-run.ts'
import {
  checkExtentNode,
  childBlock,
  entryAtOrBefore,
  entryFileBlock,
  extentBlockCount,
  extentFirstBlock,
  isExtentUnwritten,
  parseExtentNode,
  type ExtentNode,
} from './extent-node.ts'
import type { Ext4Inode } from './inode.ts'
import { readBlock, requireBlocks, type Ext4Volume } from './volume.ts'

/** Only a crash leaves leaves that hold nothing; they are the one kind of node that could be met for ever. */
const EMPTY_LEAF_COUNT_MAX = 1000

/**
 * The extents of a file that touch `blocks`, in ascending order and uncut. The tree is walked with a stack that is as
 * deep as the root says, at most five; as the blocks of the file must ascend, no leaf is met twice.
 */
export async function* extentTreeRuns(
  volume: Ext4Volume,
  inode: Ext4Inode,
  blocks: FileBlocks,
): AsyncGenerator<readonly BlockRun[]> {
  const walk = new ExtentWalk(volume, inode, blocks)
  let batch: BlockRun[] = []
  for (let leaf = await walk.firstLeaf(); leaf !== null; leaf = await walk.nextLeaf()) {
    walk.takeRuns(leaf, batch)
    if (batch.length >= RUN_BATCH_LENGTH) {
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

/** An inner node, and the entry of it that is next. */
type Step = { readonly node: ExtentNode; next: number }

class ExtentWalk {
  readonly #volume: Ext4Volume
  readonly #inode: Ext4Inode
  readonly #blocks: FileBlocks
  readonly #stack: Step[] = []
  /** The first block of the file that the extents before leave free. */
  #position = 0
  #emptyLeafCount = 0

  constructor(volume: Ext4Volume, inode: Ext4Inode, blocks: FileBlocks) {
    this.#volume = volume
    this.#inode = inode
    this.#blocks = blocks
  }

  firstLeaf(): Promise<ExtentNode | null> {
    const { number, place, blockMap } = this.#inode
    const root = parseExtentNode(blockMap, {
      structure: `root of the extent tree of ext4 inode ${number}`,
      offsetBytes: place.offsetBytes,
    })
    if (root.depth === 0) return Promise.resolve(root)
    this.#push(root)
    return this.nextLeaf()
  }

  async nextLeaf(): Promise<ExtentNode | null> {
    for (;;) {
      const step = this.#stack.at(-1)
      if (step === undefined) return null
      const index = step.next
      if (index >= step.node.entryCount || entryFileBlock(step.node, index) >= this.#blocks.end) {
        this.#stack.pop()
        continue
      }
      step.next += 1
      const child = await this.#readChild(step.node, index)
      if (child.depth === 0) return child
      this.#push(child)
    }
  }

  takeRuns(leaf: ExtentNode, batch: BlockRun[]): void {
    const { superblock } = this.#volume
    if (leaf.entryCount === 0) return
    for (let index = entryAtOrBefore(leaf, this.#blocks.start); index < leaf.entryCount; index += 1) {
      const fileBlock = entryFileBlock(leaf, index)
      const blockCount = extentBlockCount(leaf, index)
      if (fileBlock < this.#position || blockCount === 0) {
        throw new FormatError(
          leaf.place,
          `extent ${index} has ${blockCount} blocks from block ${fileBlock} of the file, ` +
            `which is known up to ${this.#position}`,
        )
      }
      if (fileBlock >= this.#blocks.end) return
      const firstBlock = extentFirstBlock(leaf, index)
      requireBlocks(superblock, { firstBlock, blockCount }, leaf.place)
      this.#position = fileBlock + blockCount
      if (this.#position <= this.#blocks.start) continue
      batch.push({ fileBlock, blockCount, firstBlock, unwritten: isExtentUnwritten(leaf, index) })
    }
  }

  #push(node: ExtentNode): void {
    if (node.entryCount === 0) throw new FormatError(node.place, 'it has no entries')
    this.#stack.push({ node, next: entryAtOrBefore(node, this.#blocks.start) })
  }

  async #readChild(parent: ExtentNode, index: number): Promise<ExtentNode> {
    const block = childBlock(parent, index)
    const structure = `extent node of ext4 inode ${this.#inode.number}`
    this.#blocks.onNode?.(block)
    const bytes = await readBlock(this.#volume, block, structure)
    const node = parseExtentNode(bytes, {
      structure,
      offsetBytes: block * this.#volume.superblock.blockSizeBytes,
    })
    if (this.#volume.superblock.features.metadataChecksums) {
      checkExtentNode(node, bytes, this.#inode.checksumSeed)
    }
    if (node.depth !== parent.depth - 1) {
      throw new FormatError(node.place, `depth is ${node.depth}, expected ${parent.depth - 1}`)
    }
    this.#checkStart(node, entryFileBlock(parent, index))
    return node
  }

  /** What lies in a node must not begin before its parent says. */
  #checkStart(node: ExtentNode, expected: number): void {
    if (node.entryCount === 0) {
      this.#emptyLeafCount += 1
      if (this.#emptyLeafCount > EMPTY_LEAF_COUNT_MAX) {
        throw new FormatError(node.place, `it is empty, as are ${EMPTY_LEAF_COUNT_MAX} others of the file`)
      }
      return
    }
    const found = entryFileBlock(node, 0)
    if (found === expected) return
    const difference = `first block of the file is ${found}, expected ${expected}`
    if (found < expected) throw new FormatError(node.place, difference)
    this.#volume.report({ ...node.place, found: difference })
  }
}
