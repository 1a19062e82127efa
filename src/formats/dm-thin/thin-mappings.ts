import type { ExtentBatch } from '../../domain/extent.ts'
import { endOf, type Range } from '../../domain/range.ts'
import { FormatError } from '../format-error.ts'
import { DEVICES_TREE, mappingTree, readMappingRoots } from './device-trees.ts'
import type { MetadataSource } from './load-nodes.ts'
import { MappingRunCollector, type BlockRange, type MappingRuns } from './mapping-runs.ts'
import { extentsOfMappings } from './thin-extents.ts'
import type { ThinVolume } from './thin-pool.ts'
import { openTree, treeLeaves, type Tree } from './tree.ts'
import { nodePlace } from './tree-node.ts'

/** The mapping tree of a volume. Throws FormatError when the pool has no volume of that number. */
export async function openMappingTree(source: MetadataSource, { pool, deviceId }: ThinVolume): Promise<Tree> {
  const { mappingRoot } = pool.roots
  const range = { begin: deviceId, end: deviceId + 1 }
  for await (const [, root] of readMappingRoots(source, mappingRoot, range)) {
    return openTree(source, mappingTree(pool.dataBlockBytes), root)
  }
  throw new FormatError(nodePlace(DEVICES_TREE, mappingRoot), `device ${deviceId} is not there`)
}

/** What a volume maps within `range`, in data blocks; all of it when `range` is null. */
export async function* thinMappings(
  volume: ThinVolume,
  range: BlockRange | null,
  signal: AbortSignal,
): AsyncGenerator<MappingRuns> {
  const source = { image: volume.pool.image, signal }
  const tree = await openMappingTree(source, volume)
  const { begin, end } = range ?? { begin: 0, end: tree.kind.keyEnd }
  const out = new MappingRunCollector(tree.kind, { begin, end }, volume.pool.dataBlockCount)
  const leaves = treeLeaves(source, tree, (ref) => ref.low < end && ref.high > begin)
  for await (const batch of leaves) {
    for (const leaf of batch) {
      out.addLeaf(leaf)
      if (out.isFull) yield out.take()
    }
  }
  yield* out.rest()
}

/**
 * The map of `range` of a volume, which its size bounds: extents on the pool's data volume, as its only device, number
 * 0, and zero where nothing is mapped. A volume with an external origin is not zero there, and is not for this map.
 */
export async function* thinExtents(
  volume: ThinVolume,
  range: Range,
  signal: AbortSignal,
): AsyncGenerator<ExtentBatch> {
  const { dataBlockBytes } = volume.pool
  const blocks = {
    begin: Math.floor(range.offset / dataBlockBytes),
    end: Math.ceil(endOf(range) / dataBlockBytes),
  }
  yield* extentsOfMappings(range, dataBlockBytes, thinMappings(volume, blocks, signal))
}
