import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import {
  chunkIdOf,
  idsOf,
  imageAndNext,
  NodeMemory,
  readTree,
  shapeOf,
  writeTree,
  type ImageModel,
} from '../../test/support/tree-model.ts'
import { PLACES, TreeNode } from './tree-node.ts'
import { leafIndexes } from './tree-walk.ts'
import { readBaseNode, TreeWriter } from './tree-writer.ts'

const { signal } = new AbortController()

test('TreeWriter makes the tree of any image, and of any image after it', async () => {
  await fc.assert(
    fc.asyncProperty(imageAndNext, async ([first, next]) => {
      const nodes = new NodeMemory()
      const tree = await writeTree(nodes, first)
      assert.deepEqual(await readTree(nodes, tree), idsOf(first))
      assert.equal(tree.root.chunkCount, first.chunks.size)
      const nextTree = await writeTree(nodes, next, { tree, image: first })
      assert.deepEqual(await readTree(nodes, nextTree), idsOf(next))
      assert.equal(nextTree.root.chunkCount, next.chunks.size)
    }),
    { numRuns: 300 },
  )
})

test('TreeWriter makes the same tree of an image, whatever it grew or shrank out of', async () => {
  await fc.assert(
    fc.asyncProperty(imageAndNext, async ([first, next]) => {
      const nodes = new NodeMemory()
      const tree = await writeTree(nodes, first)
      const made = await writeTree(nodes, next, { tree, image: first })
      const anew = await writeTree(nodes, next)
      assert.deepEqual(made.root, anew.root)
    }),
    { numRuns: 200 },
  )
})

test('TreeWriter writes as many nodes as the change has leaves, times the height, whatever the size', async () => {
  for (const chunkCount of [60_000, 200_000, 16_000_000]) {
    for (const count of [1, 7, 50]) {
      const nodes = new NodeMemory()
      const first: ImageModel = {
        chunkCount,
        chunks: new Map(Array.from({ length: 2000 }, (_, at) => [Math.floor((at * chunkCount) / 2000), 'a'])),
      }
      const tree = await writeTree(nodes, first)
      const chunks = new Map(first.chunks)
      for (let at = 0; at < count; at += 1) chunks.set(Math.floor(((at + 0.5) * chunkCount) / count), 'b')
      nodes.writeCount = 0
      nodes.reads.length = 0
      await writeTree(nodes, { chunkCount, chunks }, { tree, image: first })
      const levels = shapeOf(first).rootLevel + 1
      assert.ok(nodes.writeCount <= count * levels, `${nodes.writeCount} nodes for ${count} of ${chunkCount}`)
      assert.ok(nodes.reads.length <= count * levels * levels, `${nodes.reads.length} reads`)
    }
  }
})

test('TreeWriter returns the root of its base when nothing was set, and zeros without one', async () => {
  const nodes = new NodeMemory()
  const image: ImageModel = { chunkCount: 70_000, chunks: new Map([[66_000, 'a']]) }
  const tree = await writeTree(nodes, image)
  assert.deepEqual(await new TreeWriter(tree.shape, { ...tree, nodes }, nodes).finish(), tree.root)
  assert.deepEqual(await new TreeWriter(tree.shape, null, nodes).finish(), { nodeId: null, chunkCount: 0 })
})

test('TreeWriter refuses leaves that are not ascending, or beyond the end', async () => {
  const leaf = new TreeNode(0)
  leaf.set(0, { id: chunkIdOf('a'), chunkCount: 1 })
  const writer = new TreeWriter(shapeOf({ chunkCount: 3 * PLACES }), null, new NodeMemory())
  await writer.setLeaf(1, leaf)
  await assert.rejects(writer.setLeaf(1, leaf), { name: 'AssertionError' })
  await assert.rejects(writer.setLeaf(0, leaf), { name: 'AssertionError' })
  await assert.rejects(writer.setLeaf(3, leaf), { name: 'AssertionError' })
})

test('readBaseNode() finds leaves of any base, and null where there are zeros', async () => {
  await fc.assert(
    fc.asyncProperty(imageAndNext, fc.integer({ min: 0, max: 1000 }), async ([image], leafIndex) => {
      const nodes = new NodeMemory()
      const tree = await writeTree(nodes, image)
      const leaf = await readBaseNode({ ...tree, nodes }, 0, leafIndex)
      const found = leaf === null ? [] : [...leaf.chunkCounts.keys()].filter((place) => leaf.isSet(place))
      const expected = [...image.chunks.keys()].filter((at) => Math.floor(at / PLACES) === leafIndex)
      assert.deepEqual(
        found,
        expected.map((at) => at % PLACES).toSorted((a, b) => a - b),
      )
    }),
  )
})

test('leafIndexes() names every leaf that is not zeros and reads none', async () => {
  await fc.assert(
    fc.asyncProperty(imageAndNext, async ([image]) => {
      const nodes = new NodeMemory()
      const tree = await writeTree(nodes, image)
      nodes.reads.length = 0
      const found = await Array.fromAsync(leafIndexes(tree, { nodes, signal }))
      const leaves = new Set([...image.chunks.keys()].map((at) => Math.floor(at / PLACES)))
      assert.deepEqual(
        found,
        [...leaves].toSorted((a, b) => a - b),
      )
      if (shapeOf(image).rootLevel <= 1) assert.ok(nodes.reads.length <= 1)
    }),
  )
})
