import assert from 'node:assert/strict'
import type { RangeBatch } from '../../domain/range.ts'
import { openMappingTree } from './thin-mappings.ts'
import type { ThinVolume } from './thin-pool.ts'
import { differenceOfTrees } from './tree-difference.ts'

/**
 * The ranges of two volumes of one pool that are mapped to different data blocks, or in one of them alone; ascending,
 * in whole data blocks. Elsewhere the bytes are the same: a data block that two volumes refer to is never rewritten.
 * What both share is skipped, so that the cost follows what differs.
 */
export async function* differenceOfThinVolumes(
  before: ThinVolume,
  after: ThinVolume,
  signal: AbortSignal,
): AsyncGenerator<RangeBatch> {
  const { image, dataBlockBytes } = before.pool
  assert(after.pool.image === image)
  const source = { image, signal }
  const trees = [await openMappingTree(source, before), await openMappingTree(source, after)] as const
  yield* differenceOfTrees(source, trees, dataBlockBytes)
}
