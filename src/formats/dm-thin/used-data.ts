import type { RangeBatch } from '../../domain/range.ts'
import { METADATA_BLOCK_BYTES } from './layout.ts'
import { BlockBitmap } from './block-bitmap.ts'
import { BlockRangeCollector } from './block-range-collector.ts'
import type { MetadataSource } from './load-nodes.ts'
import { requiredDataBlock } from './mapping-runs.ts'
import { treeLeaves, type Tree } from './tree.ts'

/** All data blocks that trees refer to. A node that several trees share is visited once. */
export class UsedDataBlocks {
  readonly #source: MetadataSource
  readonly #data: BlockBitmap
  readonly #dataBlockCount: number
  /** By level: that a node is there at one level must not hide that it is also named at another. */
  readonly #visited: BlockBitmap[] = []

  /** `dataBlockCount` at most BITMAP_BLOCKS_MAX. */
  constructor(source: MetadataSource, dataBlockCount: number) {
    this.#source = source
    this.#dataBlockCount = dataBlockCount
    this.#data = new BlockBitmap(dataBlockCount)
  }

  async addTree(tree: Tree): Promise<void> {
    const limit = { kind: tree.kind, end: this.#dataBlockCount }
    // A block outside is let through, for the walk to refuse it.
    const blockCount = Math.floor(this.#source.image.sizeBytes / METADATA_BLOCK_BYTES)
    const leaves = treeLeaves(this.#source, tree, ({ block }, level) => {
      const visited = (this.#visited[level] ??= new BlockBitmap(blockCount))
      return block >= blockCount || visited.add(block)
    })
    for await (const batch of leaves) {
      for (const leaf of batch) {
        for (let index = 0; index < leaf.entryCount; index += 1) {
          this.#data.add(requiredDataBlock(leaf, index, limit))
        }
      }
    }
  }

  *ranges(dataBlockBytes: number): Generator<RangeBatch> {
    const out = new BlockRangeCollector(dataBlockBytes)
    for (const [begin, length] of this.#data.runs()) {
      out.add(begin, begin + length)
      if (out.isFull) yield out.take()
    }
    yield* out.rest()
  }
}
