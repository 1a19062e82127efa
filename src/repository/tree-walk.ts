import type { ImageRoot } from '../domain/recovery-point.ts'
import type { NodeReader } from './node-reader.ts'
import { PLACES, type TreeNode } from './tree-node.ts'
import type { TreeShape } from './tree-shape.ts'

/** A leaf that is not all zeros. */
export type Leaf = { readonly leafIndex: number; readonly node: TreeNode }

export type WalkOptions = {
  readonly nodes: NodeReader
  readonly signal: AbortSignal
  /** Asked before a node is read; false leaves it out, and all below it. */
  readonly enter?: (id: Uint8Array, level: number) => boolean
}

/** All leaves of a tree in ascending order; zeros are left out. One node a level is held. */
export async function* walkLeaves(
  image: { root: ImageRoot; shape: TreeShape },
  options: WalkOptions,
): AsyncGenerator<Leaf> {
  if (image.root.nodeId === null) return
  const start = { id: Uint8Array.fromHex(image.root.nodeId), level: image.shape.rootLevel, number: 0 }
  yield* walkNode(start, options)
}

type Subtree = { readonly id: Uint8Array; readonly level: number; readonly number: number }

async function* walkNode(subtree: Subtree, options: WalkOptions): AsyncGenerator<Leaf> {
  options.signal.throwIfAborted()
  if (options.enter?.(subtree.id, subtree.level) === false) return
  const node = await options.nodes.readNode(subtree.id, subtree.level)
  if (subtree.level === 0) {
    yield { leafIndex: subtree.number, node }
    return
  }
  for (let place = 0; place < PLACES; place += 1) {
    if (!node.isSet(place)) continue
    yield* walkNode(
      { id: node.idAt(place), level: subtree.level - 1, number: subtree.number * PLACES + place },
      options,
    )
  }
}

/** The numbers of all leaves that are not all zeros, ascending; the leaves themselves are not read. */
export async function* leafIndexes(
  image: { root: ImageRoot; shape: TreeShape },
  options: WalkOptions,
): AsyncGenerator<number> {
  if (image.root.nodeId === null) return
  const start = { id: Uint8Array.fromHex(image.root.nodeId), level: image.shape.rootLevel, number: 0 }
  yield* indexesBelow(start, options)
}

async function* indexesBelow(subtree: Subtree, options: WalkOptions): AsyncGenerator<number> {
  options.signal.throwIfAborted()
  if (subtree.level === 0) {
    yield subtree.number
    return
  }
  const node = await options.nodes.readNode(subtree.id, subtree.level)
  for (let place = 0; place < PLACES; place += 1) {
    if (!node.isSet(place)) continue
    yield* indexesBelow(
      { id: node.idAt(place), level: subtree.level - 1, number: subtree.number * PLACES + place },
      options,
    )
  }
}
