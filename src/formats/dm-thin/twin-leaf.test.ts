import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { blockChecksum } from './block-checksum.ts'
import { mappingTree } from './device-trees.ts'
import { NODE, NODE_LEAF, NODE_SALT } from './layout.ts'
import { dataBlockAt, keyAt, requireNode, type NodeMemory, type NodeRef } from './tree-node.ts'
import { findTwin } from './twin-leaf.ts'

const DEMAND = { kind: mappingTree(65_536), level: 0 }
const FIRST: NodeRef = { block: 10, low: 0, high: 1000, side: 0 }
const SECOND: NodeRef = { block: 11, low: 0, high: 1000, side: 1 }

/** Two leaves of 100 mappings with room for 252, the second a copy of the first with changed words. */
function twoLeaves(changes: readonly (readonly [word: number, value: number])[]): {
  bytes: Uint8Array
  memory: NodeMemory
  own: NodeMemory
} {
  const bytes = new Uint8Array(8192)
  const view = new DataView(bytes.buffer)
  view.setUint32(NODE.flags, NODE_LEAF, true)
  view.setUint32(NODE.blockNumber, FIRST.block, true)
  view.setUint32(NODE.entryCount, 100, true)
  view.setUint32(NODE.entryCountMax, 252, true)
  view.setUint32(NODE.valueBytes, 8, true)
  for (let index = 0; index < 252; index += 1) {
    view.setUint32(NODE.keys + index * 8, 2 * index, true)
    view.setUint32(NODE.keys + (252 + index) * 8 + 3, 7 * index, true)
  }
  bytes.copyWithin(4096, 0, 4096)
  view.setUint32(4096 + NODE.blockNumber, SECOND.block, true)
  for (const [word, value] of changes) view.setInt32(4096 + 4 * word, value, true)
  for (const start of [0, 4096]) {
    view.setUint32(start, blockChecksum(bytes.subarray(start, start + 4096), NODE_SALT), true)
  }
  const longs = new BigInt64Array(bytes.buffer)
  return { bytes, memory: { view, longs, start: 0 }, own: { view, longs, start: 4096 } }
}

function twinOf({ memory, own }: ReturnType<typeof twoLeaves>, ref = SECOND): ReturnType<typeof findTwin> {
  return findTwin(ref, DEMAND, { node: requireNode(FIRST, DEMAND, memory), memory, own })
}

test('findTwin() is what requireNode() is, and knows the values that differ', () => {
  const word = fc.tuple(fc.integer({ min: 8 + 504, max: 1015 }), fc.integer())
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (changes) => {
      const leaves = twoLeaves(changes)
      const twin = twinOf(leaves)
      const leaf = requireNode(SECOND, DEMAND, leaves.own)
      const first = requireNode(FIRST, DEMAND, leaves.memory)
      assert.deepEqual({ ...twin, twin: null }, leaf)
      const differing = Array.from({ length: 100 }, (_, index) => index).filter(
        (index) => dataBlockAt(leaf, index) !== dataBlockAt(first, index),
      )
      const indexes = twin?.twin?.indexes ?? []
      // A value whose time alone differs is among them too.
      assert(differing.every((index) => indexes.includes(index)))
      assert(indexes.every((index) => keyAt(leaf, index) === 2 * index && index < 100))
    }),
  )
})

test('findTwin() leaves to requireNode() what is no twin', () => {
  assert.notEqual(twinOf(twoLeaves([])), null)
  assert.equal(twinOf(twoLeaves([[8, 1]])), null, 'a key differs')
  assert.equal(twinOf(twoLeaves([[4, 99]])), null, 'the header differs')
  assert.equal(twinOf(twoLeaves([[2, 12]])), null, 'its block is another')
  assert.equal(twinOf(twoLeaves([]), { ...SECOND, low: 1 }), null, 'its bounds are others')
  assert.equal(twinOf(twoLeaves([]), { ...SECOND, high: 198 }), null, 'the last key is beyond its bounds')
  assert.equal(twinOf(twoLeaves([]), { ...SECOND, side: 0 }), null, 'of the same tree')
  const many = Array.from({ length: 200 }, (_, index) => [520 + index, -1 - index] as const)
  assert.equal(twinOf(twoLeaves(many)), null, 'much differs')
  const leaves = twoLeaves([[600, 5]])
  leaves.bytes[4096 + 4 * 700] = 1
  assert.equal(twinOf(leaves), null, 'the checksum is wrong')
})
