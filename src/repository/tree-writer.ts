import assert from 'node:assert/strict'
import type { ImageRoot } from '../domain/recovery-point.ts'
import type { NodeReader } from './node-reader.ts'
import { encodeTreeNode, PLACES, TreeNode } from './tree-node.ts'
import type { TreeShape } from './tree-shape.ts'

/** Takes encoded nodes and says their ids. */
export type NodeSink = { addNode(encoded: Uint8Array): Promise<Uint8Array> }

export type TreeBase = { readonly root: ImageRoot; readonly shape: TreeShape; readonly nodes: NodeReader }

const ZEROS: ImageRoot = { nodeId: null, chunkCount: 0 }

type Child = { readonly id: Uint8Array; readonly chunkCount: number }
/** The node of a level that is being changed; `parentPlace` places of `level + 1` count from the image's start. */
type OpenNode = { readonly node: TreeNode; readonly number: number }

/**
 * Makes the tree of an image out of the tree of its base, copy on write: leaves are set in ascending order, and
 * only they and the nodes above them are written. At every moment one node a level is open, whatever the size
 * of the image. Nodes of a level are numbered from the start of the image; node n of a level is place n % 256
 * of node n / 256 above it.
 */
export class TreeWriter {
  readonly #shape: TreeShape
  readonly #base: TreeBase | null
  readonly #sink: NodeSink
  /** By level; the leaves' level stays empty. */
  readonly #open: (OpenNode | undefined)[] = []
  #lastLeaf = -1
  /** Null for an image of zeros. */
  #root: Child | null = null

  constructor(shape: TreeShape, base: TreeBase | null, sink: NodeSink) {
    this.#shape = shape
    this.#base = base
    this.#sink = sink
  }

  /** Replaces leaf `leafIndex`; a leaf with no chunk becomes zeros. */
  async setLeaf(leafIndex: number, leaf: TreeNode): Promise<void> {
    assert(leafIndex > this.#lastLeaf && leafIndex < this.#shape.leafCount && leaf.level === 0)
    if (this.#lastLeaf < 0) await this.#liftBase()
    this.#lastLeaf = leafIndex
    await this.#setNode(0, leafIndex, leaf)
  }

  /**
   * Closes what is open and returns the root: the base's own when no leaf was set. An image that grew or shrank
   * needs its last leaf set, for that is where the trees differ.
   */
  async finish(): Promise<ImageRoot> {
    if (this.#lastLeaf < 0) {
      assert(this.#base === null || this.#base.shape.chunkCount === this.#shape.chunkCount)
      return this.#base?.root ?? ZEROS
    }
    for (let level = 1; level <= this.#shape.rootLevel; level += 1) await this.#close(level)
    return this.#root === null ? ZEROS : { nodeId: this.#root.id.toHex(), chunkCount: this.#root.chunkCount }
  }

  /** The tree of a smaller base hangs below the first places of the new one. */
  async #liftBase(): Promise<void> {
    const base = this.#base
    if (base === null || base.root.nodeId === null || base.shape.rootLevel >= this.#shape.rootLevel) return
    const node = await this.#openNode(base.shape.rootLevel + 1, 0)
    node.set(0, { id: Uint8Array.fromHex(base.root.nodeId), chunkCount: base.root.chunkCount })
  }

  async #setNode(level: number, number: number, node: TreeNode): Promise<void> {
    const chunkCount = node.chunkCount
    const child = chunkCount === 0 ? null : { id: await this.#sink.addNode(encodeTreeNode(node)), chunkCount }
    if (level === this.#shape.rootLevel) {
      this.#root = child
      return
    }
    const parent = await this.#openNode(level + 1, Math.floor(number / PLACES))
    if (child === null) parent.clear(number % PLACES)
    else parent.set(number % PLACES, child)
  }

  async #openNode(level: number, number: number): Promise<TreeNode> {
    const current = this.#open[level]
    if (current?.number === number) return current.node
    await this.#close(level)
    const node = await this.#nodeOfBase(level, number)
    this.#open[level] = { node, number }
    return node
  }

  async #close(level: number): Promise<void> {
    const current = this.#open[level]
    if (current === undefined) return
    this.#open[level] = undefined
    await this.#setNode(level, current.number, current.node)
  }

  /** What the base has there, cut at the end of the new image; an empty node where it has nothing. */
  async #nodeOfBase(level: number, number: number): Promise<TreeNode> {
    const base = this.#base
    const node = base === null ? null : await readBaseNode(base, level, number)
    const found = node?.copy() ?? new TreeNode(level)
    const childSpan = PLACES ** level
    const places = Math.ceil(this.#shape.chunkCount / childSpan) - number * PLACES
    if (places < PLACES) found.clearFrom(Math.max(0, places))
    return found
  }
}

/** Node `number` of `level` of a base whose tree may be lower or higher than that; null where it has none. */
export async function readBaseNode(base: TreeBase, level: number, number: number): Promise<TreeNode | null> {
  const top = base.shape.rootLevel
  if (base.root.nodeId === null || level > top || number >= PLACES ** (top - level)) return null
  let id: Uint8Array = Uint8Array.fromHex(base.root.nodeId)
  for (let above = top; above > level; above -= 1) {
    const node = await base.nodes.readNode(id, above)
    const place = Math.floor(number / PLACES ** (above - level - 1)) % PLACES
    if (!node.isSet(place)) return null
    id = node.idAt(place)
  }
  return await base.nodes.readNode(id, level)
}
