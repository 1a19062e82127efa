import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { memorySource } from '../../test/support/memory-image.ts'
import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import { NodeMemory, writeTree, type ImageModel } from '../../test/support/tree-model.ts'
import type { Range } from '../domain/range.ts'
import { PLACES } from '../repository/tree-node.ts'
import { treeShape } from '../repository/tree-shape.ts'
import type { TreeBase } from '../repository/tree-writer.ts'
import type { BackupSource } from './backup-source.ts'
import { isPlaceIn } from './leaf-mask.ts'
import { planObject, type ObjectPlan } from './plan-object.ts'

const CHUNK = 4096
const sizes = fc.oneof(
  fc.constantFrom(1, CHUNK, CHUNK + 1, 256 * CHUNK, 256 * CHUNK + 1, 257 * CHUNK, 512 * CHUNK),
  fc.integer({ min: 1, max: 700 * CHUNK }),
)
/** Some ranges of bytes, ascending, cut to a size later. */
const rawRanges = fc
  .array(
    fc.tuple(
      fc.nat(80 * CHUNK),
      fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 90 * CHUNK })),
    ),
    {
      maxLength: 12,
    },
  )
  .map((steps) => {
    const list: Range[] = []
    let at = 0
    for (const [gap, length] of steps) {
      list.push({ offset: at + gap, length })
      at += gap + length
    }
    return list
  })

type Case = {
  readonly size: number
  readonly baseSize: number
  readonly data: readonly Range[]
  readonly changes: readonly Range[]
  readonly baseChunks: readonly number[]
  readonly witnessCount: number
  readonly rotationRuns: number
  readonly rotationStart: number
  readonly seed: number
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    size: sizes,
    baseSize: fc.option(sizes),
    data: rawRanges,
    changes: rawRanges,
    baseChunks: fc.array(fc.nat(700), { maxLength: 30 }),
    witnessCount: fc.nat(40),
    rotationRuns: fc.constantFrom(0, 1, 3, 30),
    rotationStart: fc.nat(1000),
    seed: fc.integer(),
  })
  .map((one) => ({
    ...one,
    baseSize: one.baseSize ?? one.size,
    data: cut(one.data, one.size),
    changes: cut(one.changes, one.size),
  }))

function cut(ranges: readonly Range[], size: number): Range[] {
  return ranges
    .filter((range) => range.offset < size)
    .map(({ offset, length }) => ({ offset, length: Math.min(length, size - offset) }))
}

/** What a plan says of each chunk. */
type Unfolded = { readonly scope: Set<number>; readonly read: Set<number>; readonly tested: Set<number> }

async function planOf(
  one: Case,
  mode: 'full' | 'compared' | 'incremental',
  source = sourceOf(one),
): Promise<[ObjectPlan, Unfolded]> {
  const shape = treeShape({ sizeBytes: one.size, chunkSizeBytes: CHUNK })
  const plan = await planObject({
    source,
    shape,
    base: mode === 'full' ? null : await baseOf(one),
    mode,
    witnessCount: one.witnessCount,
    rotationRuns: one.rotationRuns,
    rotationStart: one.rotationStart,
    randomness: seededRandomness(one.seed),
    signal: new AbortController().signal,
  })
  const unfolded = { scope: new Set<number>(), read: new Set<number>(), tested: new Set<number>() }
  let lastLeaf = -1
  for await (const leaf of plan.leaves) {
    assert.ok(leaf.leafIndex > lastLeaf && leaf.leafIndex < shape.leafCount)
    lastLeaf = leaf.leafIndex
    for (let place = 0; place < PLACES; place += 1) {
      const at = leaf.leafIndex * PLACES + place
      if (isPlaceIn(leaf.scope, place)) unfolded.scope.add(at)
      if (isPlaceIn(leaf.read, place)) unfolded.read.add(at)
      if (isPlaceIn(leaf.tested, place)) unfolded.tested.add(at)
    }
  }
  for (const at of [...unfolded.read, ...unfolded.tested]) assert.ok(unfolded.scope.has(at))
  return [plan, unfolded]
}

function sourceOf({ size, data, changes }: Case): BackupSource {
  return memorySource({ bytes: new Uint8Array(size), data, changes }).source
}

async function baseOf(one: Case): Promise<TreeBase> {
  const nodes = new NodeMemory()
  const chunkCount = Math.ceil(one.baseSize / CHUNK)
  const chunks = new Map(one.baseChunks.filter((at) => at < chunkCount).map((at) => [at, 'a']))
  const image: ImageModel = { chunkCount, chunks }
  const tree = await writeTree(nodes, image)
  const shape = treeShape({ sizeBytes: one.baseSize, chunkSizeBytes: CHUNK })
  return { ...tree, shape, nodes }
}

function chunksOf(ranges: readonly Range[]): Set<number> {
  const chunks = new Set<number>()
  for (const { offset, length } of ranges) {
    for (let at = Math.floor(offset / CHUNK); at * CHUNK < offset + length; at += 1) chunks.add(at)
  }
  return chunks
}

function bytesOf(chunks: Iterable<number>, size: number): number {
  let bytes = 0
  for (const at of chunks) bytes += Math.min(CHUNK, size - at * CHUNK)
  return bytes
}

const ascending = (chunks: Iterable<number>): number[] => [...chunks].toSorted((a, b) => a - b)

test('planObject() for an incremental run reads what is listed, grown, drawn or due, where there is data', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const [plan, { scope, read, tested }] = await planOf(one, 'incremental')
      const chunkCount = Math.ceil(one.size / CHUNK)
      const data = chunksOf(one.data)
      const changed = chunksOf(one.changes)
      if (one.baseSize !== one.size) {
        const lastShared = Math.floor((Math.min(one.size, one.baseSize) - 1) / CHUNK)
        for (let at = lastShared; at < chunkCount; at += 1) changed.add(at)
      }
      const rotating = new Set<number>()
      if (one.rotationRuns > 0) {
        const start = one.rotationStart % chunkCount
        const end = plan.rotationNext === 0 ? chunkCount : plan.rotationNext
        assert.ok(end > start && end - start <= Math.ceil((2 * chunkCount) / one.rotationRuns) + 1)
        for (let at = start; at < end; at += 1) rotating.add(at)
      }
      for (const at of [...changed, ...rotating]) assert.ok(scope.has(at), `chunk ${at} is in scope`)
      assert.deepEqual(ascending(tested), ascending([...scope].filter((at) => !changed.has(at))))
      assert.deepEqual(ascending(read), ascending([...scope].filter((at) => data.has(at))))
      const candidates = [...data].filter((at) => !changed.has(at) && !rotating.has(at))
      const witnesses = [...tested].filter((at) => !rotating.has(at))
      for (const at of witnesses) assert.ok(candidates.includes(at))
      assert.equal(witnesses.length, Math.min(one.witnessCount, candidates.length))
      assert.equal(plan.witnesses?.candidateCount, candidates.length)
      assert.equal(plan.witnesses?.count, witnesses.length)
      const rotatingData = [...rotating].filter((at) => data.has(at) && !changed.has(at))
      assert.equal(plan.witnesses?.rotatingCount, rotatingData.length)
      assert.equal(plan.plannedReadBytes, bytesOf(read, one.size))
      assert.equal(
        plan.listedBytes,
        one.changes.reduce((sum, range) => sum + range.length, 0),
      )
    }),
    { numRuns: 300 },
  )
})

for (const mode of ['full', 'compared'] as const) {
  test(`planObject() for a ${mode} run reads all data and settles what the base has`, async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const [plan, { scope, read, tested }] = await planOf(one, mode)
        const chunkCount = Math.ceil(one.size / CHUNK)
        assert.deepEqual(ascending(read), ascending(chunksOf(one.data)))
        assert.equal(tested.size, 0)
        assert.equal(plan.plannedReadBytes, bytesOf(read, one.size))
        assert.deepEqual([plan.listedBytes, plan.witnesses], [null, null])
        if (mode === 'full') return
        const baseCount = Math.ceil(one.baseSize / CHUNK)
        for (const at of one.baseChunks) if (at < Math.min(baseCount, chunkCount)) assert.ok(scope.has(at))
        // The last leaf of an image whose size changed is where the trees differ.
        if (one.baseSize !== one.size) assert.ok(scope.has(chunkCount - 1))
      }),
    )
  })
}

test('planObject() makes zeros of what is proven free in the rotating share, and does not test the list by it', async () => {
  const size = 8 * CHUNK
  const data = [{ offset: 0, length: 2 * CHUNK + 1 }]
  // Chunk 2 has data and free space; chunk 6 is a hole that nobody proves free.
  const free = [
    { offset: 2 * CHUNK + 1, length: 3 * CHUNK },
    { offset: 7 * CHUNK, length: CHUNK },
  ]
  const { source } = memorySource({ bytes: new Uint8Array(size), data, changes: [], free })
  const one = { size, baseSize: size, data, changes: [], baseChunks: [0, 1, 2, 3, 4, 5, 6, 7] }
  const rest = { witnessCount: 0, rotationRuns: 1, rotationStart: 0, seed: 1 }
  const [, { scope, read, tested }] = await planOf({ ...one, ...rest }, 'incremental', source)
  assert.deepEqual(ascending(scope), [0, 1, 2, 3, 4, 5, 6, 7])
  assert.deepEqual(ascending(read), [0, 1, 2])
  assert.deepEqual(ascending(tested), [0, 1, 2, 6])
})

test('planObject() allocates what the system says, not whole chunks', async () => {
  const one = {
    size: 10 * CHUNK,
    baseSize: 10 * CHUNK,
    data: [{ offset: 5, length: 7 }],
    changes: [],
    baseChunks: [],
  }
  const [plan] = await planOf(
    { ...one, witnessCount: 0, rotationRuns: 0, rotationStart: 0, seed: 1 },
    'compared',
  )
  assert.deepEqual([plan.allocatedBytes, plan.plannedReadBytes], [7, CHUNK])
})
