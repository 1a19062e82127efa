import type { FrozenImage } from '../../domain/frozen-image.ts'
import { FormatError } from '../format-error.ts'
import { BlockReader } from './block-reader.ts'
import { METADATA_BLOCK_BYTES } from './layout.ts'
import {
  nodePlace,
  requireNode,
  type NodeDemand,
  type NodeMemory,
  type NodeRef,
  type TreeNode,
} from './tree-node.ts'
import { findTwin } from './twin-leaf.ts'

/** How many leaves are read at once, 2 MiB: more is not faster. */
const LEAVES_PER_READ = 512
/** And inner nodes, each of which has some hundred children that wait in memory. */
const INNER_NODES_PER_READ = 32

export type NodeBatches = AsyncIterable<readonly TreeNode[]>
export type NodeRefBatches = AsyncIterable<readonly NodeRef[]>

export type MetadataSource = { readonly image: FrozenImage; readonly signal: AbortSignal }

type Pending = { readonly refs: readonly NodeRef[]; readonly load: ReturnType<BlockReader['read']> }

/**
 * The nodes of one level, verified, in the order of `refs`; while one batch is worked on, the next is read. The nodes
 * of a batch are there until the next batch is asked for.
 */
export async function* loadNodes(
  source: MetadataSource,
  demand: NodeDemand,
  refBatches: NodeRefBatches,
): AsyncGenerator<readonly TreeNode[]> {
  const blockCount = Math.floor(source.image.sizeBytes / METADATA_BLOCK_BYTES)
  const readers = [new BlockReader(source.image), new BlockReader(source.image)] as const
  const nodesPerRead = demand.level === 0 ? LEAVES_PER_READ : INNER_NODES_PER_READ
  let reads = 0
  let nodeBudget = 2 * blockCount
  let pending: Pending | undefined
  try {
    for await (const refs of refBatches) {
      for (let first = 0; first < refs.length; first += nodesPerRead) {
        source.signal.throwIfAborted()
        const part = refs.slice(first, first + nodesPerRead)
        nodeBudget -= part.length
        requireInside(part, demand, { blockCount, nodeBudget })
        const next = { refs: part, load: readers[reads % 2 === 0 ? 0 : 1].read(part.map((ref) => ref.block)) }
        reads += 1
        // It is awaited later; should something else fail first, nobody is to hear of this failure.
        next.load.catch(() => undefined)
        const ready = pending
        pending = next
        if (ready !== undefined) yield await verified(ready, demand)
      }
    }
    if (pending !== undefined) yield await verified(pending, demand)
  } finally {
    await pending?.load.catch(() => undefined)
  }
}

async function verified({ refs, load }: Pending, demand: NodeDemand): Promise<readonly TreeNode[]> {
  const { view, longs, starts } = await load
  let last: { readonly node: TreeNode; readonly memory: NodeMemory } | undefined
  return refs.map((ref, index) => {
    const memory = { view, longs, start: starts[index] ?? 0 }
    const twin = last === undefined ? null : findTwin(ref, demand, { ...last, own: memory })
    const node = twin ?? requireNode(ref, demand, memory)
    last = { node, memory }
    return node
  })
}

/** Two trees have at most two nodes for each block of the device: the last defence against a walk that does not end. */
function requireInside(
  refs: readonly NodeRef[],
  demand: NodeDemand,
  limits: { readonly blockCount: number; readonly nodeBudget: number },
): void {
  for (const ref of refs) {
    if (ref.block >= limits.blockCount) {
      throw new FormatError(
        nodePlace(demand.kind, ref.block),
        `it lies at block ${ref.block}, expected one below ${limits.blockCount}`,
      )
    }
    if (limits.nodeBudget < 0) {
      throw new FormatError(
        nodePlace(demand.kind, ref.block),
        `it is reached more often than there are blocks, expected a tree`,
      )
    }
  }
}
