import type { ImageRoot } from '../domain/recovery-point.ts'
import type { NodeReader } from './node-reader.ts'
import { PLACES, TreeNode } from './tree-node.ts'
import type { TreeShape } from './tree-shape.ts'

type Tree = { readonly root: ImageRoot; readonly shape: TreeShape }
/** A subtree on each side; null for zeros. */
type Pair = {
  readonly a: Uint8Array | null
  readonly b: Uint8Array | null
  readonly level: number
  readonly number: number
}

/** The places of one leaf that differ, ascending, and whether `b` has data there. */
export type LeafDifference = {
  readonly leafIndex: number
  readonly places: readonly { readonly place: number; readonly existsInB: boolean }[]
}

/**
 * The chunks in which two trees differ, in ascending order. Equal subtrees have equal ids and are not read, so
 * the cost follows the difference. The trees may differ in size; positions beyond an image count as zeros.
 */
export async function* differingLeaves(
  trees: { readonly a: Tree; readonly b: Tree },
  nodes: NodeReader,
  signal: AbortSignal,
): AsyncGenerator<LeafDifference> {
  if (trees.a.root.nodeId === trees.b.root.nodeId && trees.a.shape.rootLevel === trees.b.shape.rootLevel)
    return
  const level = Math.max(trees.a.shape.rootLevel, trees.b.shape.rootLevel)
  const differ = new Differ(trees, nodes, signal)
  yield* differ.compare({ a: differ.topOf('a'), b: differ.topOf('b'), level, number: 0 })
}

class Differ {
  readonly #trees: { readonly a: Tree; readonly b: Tree }
  readonly #nodes: NodeReader
  readonly #signal: AbortSignal

  constructor(trees: { readonly a: Tree; readonly b: Tree }, nodes: NodeReader, signal: AbortSignal) {
    this.#trees = trees
    this.#nodes = nodes
    this.#signal = signal
  }

  topOf(side: 'a' | 'b'): Uint8Array | null {
    const { nodeId } = this.#trees[side].root
    return nodeId === null ? null : Uint8Array.fromHex(nodeId)
  }

  async *compare(pair: Pair): AsyncGenerator<LeafDifference> {
    this.#signal.throwIfAborted()
    const a = await this.#read('a', pair.a, pair.level)
    const b = await this.#read('b', pair.b, pair.level)
    if (pair.level === 0) {
      const places = [...placesThatDiffer(a, b)].map((place) => ({
        place,
        existsInB: b?.isSet(place) ?? false,
      }))
      if (places.length > 0) yield { leafIndex: pair.number, places }
      return
    }
    for (const place of placesThatDiffer(a, b)) {
      yield* this.compare({
        a: childAt(a, place),
        b: childAt(b, place),
        level: pair.level - 1,
        number: pair.number * PLACES + place,
      })
    }
  }

  /** A lower tree is met at its own level; above it there is only a first place that leads there. */
  async #read(side: 'a' | 'b', id: Uint8Array | null, level: number): Promise<TreeNode | null> {
    if (id === null) return null
    const { shape, root } = this.#trees[side]
    if (level <= shape.rootLevel) return await this.#nodes.readNode(id, level)
    const node = new TreeNode(level)
    node.set(0, { id, chunkCount: root.chunkCount })
    return node
  }
}

function* placesThatDiffer(a: TreeNode | null, b: TreeNode | null): Generator<number> {
  for (let place = 0; place < PLACES; place += 1) {
    const inA = a?.isSet(place) ?? false
    const inB = b?.isSet(place) ?? false
    if (!inA && !inB) continue
    if (inA && inB && a !== null && b !== null && Buffer.compare(a.idAt(place), b.idAt(place)) === 0) continue
    yield place
  }
}

function childAt(node: TreeNode | null, place: number): Uint8Array | null {
  return node?.isSet(place) === true ? node.idAt(place) : null
}
