import type { RangeBatch } from '../../domain/range.ts'
import { BITMAP_BLOCKS_MAX } from './block-bitmap.ts'
import { mappingTree, readMappingRoots } from './device-trees.ts'
import { DEVICE_ID_END } from './layout.ts'
import type { ThinPool } from './thin-pool.ts'
import { openTree } from './tree.ts'
import { UsedDataBlocks } from './used-data.ts'

/**
 * The ranges of the pool's data volume that any of its volumes refers to, or its metadata snapshot, ascending. When the
 * pool's allocation is not proven, and when it has more than 2^31 data blocks, that is everything. Memory: one bit for
 * each data block, at most 256 MiB, and one for each metadata block and level.
 */
export async function* usedDataRanges(pool: ThinPool, signal: AbortSignal): AsyncGenerator<RangeBatch> {
  const { dataBlockCount, dataBlockBytes } = pool
  if (!pool.allocation.proven || dataBlockCount > BITMAP_BLOCKS_MAX) {
    if (dataBlockCount > 0) yield [{ offset: 0, length: dataBlockCount * dataBlockBytes }]
    return
  }
  const source = { image: pool.image, signal }
  const used = new UsedDataBlocks(source, dataBlockCount)
  const kind = mappingTree(dataBlockBytes)
  const devices = { begin: 0, end: DEVICE_ID_END }
  for (const roots of [pool.roots, pool.otherRoots]) {
    if (roots === null) continue
    for await (const [, root] of readMappingRoots(source, roots.mappingRoot, devices)) {
      await used.addTree(await openTree(source, kind, root))
    }
  }
  yield* used.ranges(dataBlockBytes)
}
