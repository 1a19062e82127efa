import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import {
  differenceOf,
  imageAndNext,
  NodeMemory,
  shapeOf,
  writeTree,
  type ImageModel,
  type StoredTree,
} from '../../test/support/tree-model.ts'
import { differingLeaves } from './tree-difference.ts'
import { PLACES } from './tree-node.ts'

type Found = { readonly at: number; readonly existsInB: boolean }

async function differing(nodes: NodeMemory, a: StoredTree, b: StoredTree): Promise<Found[]> {
  const found: Found[] = []
  for await (const leaf of differingLeaves({ a, b }, nodes, new AbortController().signal)) {
    assert.ok(leaf.places.length > 0)
    for (const { place, existsInB } of leaf.places)
      found.push({ at: leaf.leafIndex * PLACES + place, existsInB })
  }
  return found
}

function expected(a: ImageModel, b: ImageModel): Found[] {
  return differenceOf(a, b).map((at) => ({ at, existsInB: b.chunks.has(at) }))
}

test('differingLeaves() names the chunks that differ, in both directions, also between sizes', async () => {
  await fc.assert(
    fc.asyncProperty(imageAndNext, async ([first, next]) => {
      const nodes = new NodeMemory()
      const a = await writeTree(nodes, first)
      const b = await writeTree(nodes, next, { tree: a, image: first })
      assert.deepEqual(await differing(nodes, a, b), expected(first, next))
      assert.deepEqual(await differing(nodes, b, a), expected(next, first))
    }),
    { numRuns: 300 },
  )
})

test('differingLeaves() reads nothing that both trees share', async () => {
  const chunkCount = 200_000
  const chunks = new Map(Array.from({ length: 3000 }, (_, at) => [at * 66, `${at}`]))
  const image: ImageModel = { chunkCount, chunks }
  for (const [size, changed] of [
    [chunkCount, [5]],
    [chunkCount, [5, 70_000, 199_999]],
    [70_000, []],
    [60_000, [3]],
    [17_000_000, [16_999_999]],
  ] as const) {
    const nodes = new NodeMemory()
    const a = await writeTree(nodes, image)
    const next = new Map([...chunks].filter(([at]) => at < size))
    for (const at of changed) next.set(at, 'changed')
    const b = await writeTree(nodes, { chunkCount: size, chunks: next }, { tree: a, image })
    nodes.reads.length = 0
    assert.deepEqual(
      (await differing(nodes, a, b)).map(({ at }) => at),
      differenceOf(image, { chunkCount: size, chunks: next }),
    )
    const lost = new Set([...chunks.keys()].filter((at) => at >= size).map((at) => Math.floor(at / PLACES)))
      .size
    const levels = shapeOf({ chunkCount: Math.max(size, chunkCount) }).rootLevel + 1
    const most = (changed.length + 1) * levels * 2 + lost + Math.ceil(lost / PLACES) * 2
    assert.ok(nodes.reads.length <= most, `${nodes.reads.length} reads, at most ${most}`)
  }
})

test('differingLeaves() reads nothing when the trees are equal', async () => {
  const nodes = new NodeMemory()
  const tree = await writeTree(nodes, { chunkCount: 70_000, chunks: new Map([[1, 'a']]) })
  nodes.reads.length = 0
  assert.deepEqual(await differing(nodes, tree, tree), [])
  assert.deepEqual(nodes.reads, [])
})

test('differingLeaves() stops when it is told to', async () => {
  const nodes = new NodeMemory()
  const a = await writeTree(nodes, { chunkCount: 300, chunks: new Map([[1, 'a']]) })
  const b = await writeTree(nodes, { chunkCount: 300, chunks: new Map([[2, 'a']]) })
  const reason = new Error('enough')
  await assert.rejects(Array.fromAsync(differingLeaves({ a, b }, nodes, AbortSignal.abort(reason))), reason)
})
