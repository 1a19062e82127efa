import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import * as fc from 'fast-check'
import { differingRanges, type ComparedImage, type DifferingRange } from './differing-ranges.ts'
import type { NodeReader } from './node-reader.ts'
import { parseTreeNode, PLACES, TreeNode } from './tree-node.ts'
import { treeShape } from './tree-shape.ts'
import { TreeWriter, type NodeSink } from './tree-writer.ts'

const CHUNK = 16_384
const IMAGE_CHUNKS_MAX = 70_000 // more than 256 * 256, so that there are trees of three levels
const { signal } = new AbortController()

/** The nodes that were written, and how many were read again. */
class Nodes implements NodeReader, NodeSink {
  readonly #encoded = new Map<string, Uint8Array>()
  readCount = 0

  addNode(encoded: Uint8Array): Promise<Uint8Array> {
    const id = idOf(encoded)
    this.#encoded.set(id.toHex(), encoded)
    return Promise.resolve(id)
  }

  readNode(id: Uint8Array, level: number): Promise<TreeNode> {
    const encoded = this.#encoded.get(id.toHex())
    assert.ok(encoded)
    this.readCount += 1
    return Promise.resolve(parseTreeNode(encoded, level))
  }
}

/** What an image holds: content by chunk position; the rest is zeros. */
type Content = { readonly sizeBytes: number; readonly chunks: ReadonlyMap<number, string> }

async function writeImage(content: Content, nodes: Nodes): Promise<ComparedImage> {
  const { sizeBytes, chunks } = content
  const shape = treeShape({ sizeBytes, chunkSizeBytes: CHUNK })
  const writer = new TreeWriter(shape, null, nodes)
  const leaves = Map.groupBy([...chunks], ([position]) => Math.floor(position / PLACES))
  for (const leafIndex of [...leaves.keys()].toSorted((a, b) => a - b)) {
    const leaf = new TreeNode(0)
    for (const [position, text] of leaves.get(leafIndex) ?? []) {
      leaf.set(position % PLACES, { id: idOf(Buffer.from(text)), chunkCount: 1 })
    }
    await writer.setLeaf(leafIndex, leaf)
  }
  return { sizeBytes, root: await writer.finish() }
}

async function rangesOf(before: Content, after: Content, nodes = new Nodes()): Promise<DifferingRange[]> {
  const images = { before: await writeImage(before, nodes), after: await writeImage(after, nodes) }
  nodes.readCount = 0
  return await Array.fromAsync(differingRanges(images, { chunkSizeBytes: CHUNK, nodes, signal }))
}

function idOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

const content = (sizeBytes: number, chunks: Readonly<Record<number, string>>): Content => ({
  sizeBytes,
  chunks: new Map(Object.entries(chunks).map(([position, text]) => [Number(position), text])),
})

test('differingRanges() merges neighbours, over leaves too, and tells data from what became zeros', async () => {
  const before = content(1000 * CHUNK, { 0: 'a', 1: 'b', 2: 'c', 3: 'd', 255: 'e', 900: 'same' })
  const after = content(1000 * CHUNK, { 0: 'A', 1: 'B', 3: 'd', 255: 'E', 256: 'F', 900: 'same' })
  assert.deepEqual(await rangesOf(before, after), [
    { offset: 0, length: 2 * CHUNK, exists: true },
    { offset: 2 * CHUNK, length: CHUNK, exists: false },
    { offset: 255 * CHUNK, length: 2 * CHUNK, exists: true },
  ])
})

test('differingRanges() ends where the later image ends', async () => {
  const before = content(300 * CHUNK, { 1: 'a', 2: 'b', 280: 'c' })
  const shrunk = content(2 * CHUNK + 100, { 1: 'a', 2: 'shorter' })
  assert.deepEqual(await rangesOf(before, shrunk), [{ offset: 2 * CHUNK, length: 100, exists: true }])
  const grown = content(IMAGE_CHUNKS_MAX * CHUNK, { 1: 'a', 2: 'b', 280: 'c', 69_999: 'z' })
  assert.deepEqual(await rangesOf(before, grown), [{ offset: 69_999 * CHUNK, length: CHUNK, exists: true }])
})

test('differingRanges() reads what leads to a difference and nothing else', async () => {
  const chunks = Object.fromEntries(Array.from({ length: 4096 }, (_, position) => [position, `${position}`]))
  const nodes = new Nodes()
  const before = content(IMAGE_CHUNKS_MAX * CHUNK, chunks)
  const found = await rangesOf(before, content(IMAGE_CHUNKS_MAX * CHUNK, { ...chunks, 777: 'x' }), nodes)
  assert.deepEqual(found, [{ offset: 777 * CHUNK, length: CHUNK, exists: true }])
  assert.equal(nodes.readCount, 6) // a root, an inner node and a leaf on each side
  assert.deepEqual(await rangesOf(before, before, nodes), [])
  assert.equal(nodes.readCount, 0)
})

const anyContent: fc.Arbitrary<Content> = fc
  .oneof(fc.integer({ min: 1, max: 600 * CHUNK }), fc.integer({ min: 1, max: IMAGE_CHUNKS_MAX * CHUNK }))
  .chain((sizeBytes) => {
    const last = Math.ceil(sizeBytes / CHUNK) - 1
    const position = fc.oneof(fc.nat(last), fc.nat(Math.min(last, 20)), fc.constant(last))
    return fc
      .array(fc.tuple(position, fc.constantFrom('a', 'b')), { maxLength: 40 })
      .map((entries) => ({ sizeBytes, chunks: new Map(entries) }))
  })

test('differingRanges() finds exactly the chunks in which two images differ', async () => {
  await fc.assert(
    fc.asyncProperty(anyContent, anyContent, async (before, after) => {
      const expected: DifferingRange[] = []
      const positions = new Set([...before.chunks.keys(), ...after.chunks.keys()])
      for (const position of [...positions].toSorted((a, b) => a - b)) {
        const offset = position * CHUNK
        if (before.chunks.get(position) === after.chunks.get(position) || offset >= after.sizeBytes) continue
        const length = Math.min(CHUNK, after.sizeBytes - offset)
        expected.push({ offset, length, exists: after.chunks.has(position) })
      }
      const found = await rangesOf(before, after)
      const cut = found.flatMap((range) =>
        Array.from({ length: Math.ceil(range.length / CHUNK) }, (_, index) => ({
          offset: range.offset + index * CHUNK,
          length: Math.min(CHUNK, range.length - index * CHUNK),
          exists: range.exists,
        })),
      )
      assert.deepEqual(cut, expected)
      for (const [index, range] of found.entries()) {
        const next = found[index + 1]
        if (next === undefined) continue
        const isApart = range.offset + range.length < next.offset || range.exists !== next.exists
        assert.ok(isApart, 'neighbours of one kind are merged')
      }
    }),
    { numRuns: 200 },
  )
})
