import { readBytes } from '../../images/read-bytes.ts'
import { FormatError } from '../format-error.ts'
import { METADATA_BLOCK_BYTES, NODE, NODE_LEAF } from './layout.ts'
import { loadNodes, type MetadataSource, type NodeBatches, type NodeRefBatches } from './load-nodes.ts'
import {
  nodePlace,
  pushChildren,
  requireNode,
  type NodeRef,
  type TreeKind,
  type TreeNode,
} from './tree-node.ts'

/** A tree of ten levels has more leaves than any device has blocks. */
const LEVEL_MAX = 9

/** A tree whose height is known. `level` is that of its root: 0 when the root is a leaf. */
export type Tree = { readonly kind: TreeKind; readonly root: number; readonly level: number }

export function rootRef(tree: Tree, side: 0 | 1 = 0): NodeRef {
  return { block: tree.root, low: 0, high: tree.kind.keyEnd, side }
}

/** Finds the height of a tree by going down its left edge; the walk that follows demands it of every leaf. */
export async function openTree(source: MetadataSource, kind: TreeKind, root: number): Promise<Tree> {
  let ref: NodeRef = { block: root, low: 0, high: kind.keyEnd, side: 0 }
  for (let level = 0; level <= LEVEL_MAX; level += 1) {
    source.signal.throwIfAborted()
    const node = await readNode(source, kind, ref)
    if (node.isLeaf) return { kind, root, level }
    const children: NodeRef[] = []
    pushChildren(node, children)
    ref = children[0] ?? ref
  }
  throw new FormatError(nodePlace(kind, root), `the tree has more than ${LEVEL_MAX + 1} levels`)
}

async function readNode(
  source: MetadataSource,
  kind: TreeKind,
  ref: NodeRef,
): Promise<TreeNode & { readonly isLeaf: boolean }> {
  const place = nodePlace(kind, ref.block)
  const blockCount = Math.floor(source.image.sizeBytes / METADATA_BLOCK_BYTES)
  if (ref.block >= blockCount) {
    throw new FormatError(place, `it lies at block ${ref.block}, expected one below ${blockCount}`)
  }
  const bytes = await readBytes(source.image, place.offsetBytes, METADATA_BLOCK_BYTES)
  const view = new DataView(bytes.buffer)
  const isLeaf = view.getUint32(NODE.flags, true) === NODE_LEAF
  const memory = { view, longs: new BigInt64Array(bytes.buffer), start: 0 }
  return { ...requireNode(ref, { kind, level: isLeaf ? 0 : 1 }, memory), isLeaf }
}

/** Says of a node whether to go there; `level` is the node's. */
export type NodeFilter = (ref: NodeRef, level: number) => boolean

/** The leaves of a tree in the order of their keys, but for those that lie only below nodes that are left out. */
export function treeLeaves(source: MetadataSource, tree: Tree, filter: NodeFilter): NodeBatches {
  const root = rootRef(tree)
  let refs: NodeRefBatches = once(filter(root, tree.level) ? [root] : [])
  for (let { level } = tree; level > 0; level -= 1) {
    const nodes = loadNodes(source, { kind: tree.kind, level }, refs)
    refs = childrenOf(nodes, (ref) => filter(ref, level - 1))
  }
  return loadNodes(source, { kind: tree.kind, level: 0 }, refs)
}

async function* childrenOf(
  batches: NodeBatches,
  keep: (ref: NodeRef) => boolean,
): AsyncGenerator<readonly NodeRef[]> {
  for await (const nodes of batches) {
    const children: NodeRef[] = []
    for (const node of nodes) pushChildren(node, children)
    yield children.filter(keep)
  }
}

async function* once<T>(batch: readonly T[]): AsyncGenerator<readonly T[]> {
  if (batch.length > 0) yield await Promise.resolve(batch)
}
