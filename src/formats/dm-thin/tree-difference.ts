import type { RangeBatch } from '../../domain/range.ts'
import { BlockRangeCollector } from './block-range-collector.ts'
import { compareLeaves } from './compare-leaves.ts'
import { loadNodes, type MetadataSource, type NodeBatches } from './load-nodes.ts'
import { rootRef, type Tree } from './tree.ts'
import { unsharedNodes } from './unshared-nodes.ts'

/**
 * The ranges for which two mapping trees of one metadata device do not say the same. Both are walked side by side from
 * the root of the higher one; the lower one joins at its own level. Below a node that both have nothing is read.
 */
export function differenceOfTrees(
  source: MetadataSource,
  [before, after]: readonly [Tree, Tree],
  dataBlockBytes: number,
): AsyncIterable<RangeBatch> {
  const { kind } = before
  const roots = [
    { ref: rootRef(before, 0), level: before.level },
    { ref: rootRef(after, 1), level: after.level },
  ]
  let nodes: NodeBatches = nothing()
  for (let level = Math.max(before.level, after.level); level >= 0; level -= 1) {
    const here = roots.filter((root) => root.level === level).map((root) => root.ref)
    nodes = loadNodes(source, { kind, level }, unsharedNodes(here, nodes))
  }
  return compareLeaves(nodes, new BlockRangeCollector(dataBlockBytes))
}

async function* nothing(): AsyncGenerator<never> {}
