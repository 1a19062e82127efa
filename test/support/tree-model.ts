import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

import * as fc from 'fast-check'

import type { ImageRoot } from '../../src/domain/recovery-point.ts'
import type { NodeReader } from '../../src/repository/node-reader.ts'
import { parseTreeNode, PLACES, TreeNode } from '../../src/repository/tree-node.ts'
import { treeShape, type TreeShape } from '../../src/repository/tree-shape.ts'
import { walkLeaves } from '../../src/repository/tree-walk.ts'
import { TreeWriter, type NodeSink } from '../../src/repository/tree-writer.ts'

export const TREE_CHUNK_SIZE = 4096
const CHUNKS_MAX = 200_000

/** An image as the plain thing that a tree stands for: what each chunk holds, zeros left out. */
export type ImageModel = { readonly chunkCount: number; readonly chunks: ReadonlyMap<number, string> }
export type StoredTree = { readonly root: ImageRoot; readonly shape: TreeShape }

/** Nodes in memory, and how often they were written and read. */
export class NodeMemory implements NodeSink, NodeReader {
  readonly #nodes = new Map<string, Uint8Array>()
  readonly reads: string[] = []
  writeCount = 0

  addNode(encoded: Uint8Array): Promise<Uint8Array> {
    const id = createHash('sha256').update(encoded).digest()
    this.#nodes.set(id.toHex(), encoded)
    this.writeCount += 1
    return Promise.resolve(id)
  }

  readNode(id: Uint8Array, level: number): Promise<TreeNode> {
    const bytes = this.#nodes.get(id.toHex())
    assert(bytes !== undefined, 'a node is read that was never written')
    this.reads.push(id.toHex())
    return Promise.resolve(parseTreeNode(bytes, level))
  }
}

export function shapeOf(image: { readonly chunkCount: number }): TreeShape {
  return treeShape({ sizeBytes: image.chunkCount * TREE_CHUNK_SIZE, chunkSizeBytes: TREE_CHUNK_SIZE })
}

export function chunkIdOf(content: string): Uint8Array {
  return createHash('sha256').update(content).digest()
}

/** Writes a tree for `image`: the leaves in which it differs from `base`, and no others. */
export async function writeTree(
  nodes: NodeMemory,
  image: ImageModel,
  base: { readonly tree: StoredTree; readonly image: ImageModel } | null = null,
): Promise<StoredTree> {
  const shape = shapeOf(image)
  const before = base?.image ?? { chunkCount: image.chunkCount, chunks: new Map<number, string>() }
  const leaves = leavesThatDiffer(before, image)
  if (before.chunkCount !== image.chunkCount) leaves.add(shape.leafCount - 1)
  const writer = new TreeWriter(shape, base === null ? null : { ...base.tree, nodes }, nodes)
  for (const leafIndex of [...leaves].toSorted((a, b) => a - b)) {
    await writer.setLeaf(leafIndex, leafOf(image, leafIndex))
  }
  return { root: await writer.finish(), shape }
}

/** What a tree says, as a model. */
export async function readTree(nodes: NodeReader, tree: StoredTree): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for await (const { leafIndex, node } of walkLeaves(tree, { nodes, signal: new AbortController().signal })) {
    for (let place = 0; place < PLACES; place += 1) {
      if (node.isSet(place)) found.set(leafIndex * PLACES + place, node.idAt(place).toHex())
    }
  }
  return found
}

/** A model's chunks as `readTree` shows them. */
export function idsOf(image: ImageModel): Map<number, string> {
  return new Map(
    [...image.chunks].toSorted(([a], [b]) => a - b).map(([at, text]) => [at, chunkIdOf(text).toHex()]),
  )
}

/** The positions in which two images differ; beyond the end there are zeros. */
export function differenceOf(a: ImageModel, b: ImageModel): number[] {
  const positions = new Set([...a.chunks.keys(), ...b.chunks.keys()])
  return [...positions].filter((at) => a.chunks.get(at) !== b.chunks.get(at)).toSorted((x, y) => x - y)
}

function leavesThatDiffer(a: ImageModel, b: ImageModel): Set<number> {
  const within = differenceOf(a, b).filter((at) => at < b.chunkCount)
  return new Set(within.map((at) => Math.floor(at / PLACES)))
}

function leafOf(image: ImageModel, leafIndex: number): TreeNode {
  const node = new TreeNode(0)
  for (let place = 0; place < PLACES; place += 1) {
    const content = image.chunks.get(leafIndex * PLACES + place)
    if (content !== undefined) node.set(place, { id: chunkIdOf(content), chunkCount: 1 })
  }
  return node
}

const chunkCount = fc.oneof(
  fc.constantFrom(1, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 131_072, 131_073),
  fc.integer({ min: 1, max: 600 }),
  fc.integer({ min: 1, max: CHUNKS_MAX }),
)
const content = fc.constantFrom('a', 'b', 'c', 'd')
const position = fc.oneof(
  fc.integer({ min: 0, max: 600 }),
  fc.integer({ min: 0, max: CHUNKS_MAX - 1 }),
  fc.constantFrom(0, 255, 256, 65_535, 65_536, 131_071, 131_072),
)
const entries = fc.array(fc.tuple(position, fc.option(content)), { maxLength: 40 })

/** An image, and the same after some chunks changed, became zeros or data, and its size perhaps changed too. */
export const imageAndNext: fc.Arbitrary<readonly [ImageModel, ImageModel]> = fc
  .tuple(chunkCount, entries, fc.option(chunkCount), entries)
  .map(([count, chunks, nextCount, changes]) => {
    const first = imageOf(count, chunks)
    return [first, imageOf(nextCount ?? count, [...first.chunks, ...changes])] as const
  })

function imageOf(count: number, all: readonly (readonly [number, string | null])[]): ImageModel {
  const chunks = new Map<number, string>()
  for (const [at, text] of all) {
    if (at >= count) continue
    if (text === null) chunks.delete(at)
    else chunks.set(at, text)
  }
  return { chunkCount: count, chunks }
}
