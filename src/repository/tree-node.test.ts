import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { encodeTreeNode, LEVEL_MAX, NODE_SIZE_MAX, parseTreeNode, PLACES, TreeNode } from './tree-node.ts'

const anyNode = fc
  .tuple(
    fc.integer({ min: 0, max: LEVEL_MAX }),
    fc.uniqueArray(
      fc.tuple(fc.nat(PLACES - 1), fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.double()),
      {
        selector: ([place]) => place,
        minLength: 1,
        maxLength: PLACES,
      },
    ),
  )
  .map(([level, places]) => {
    const node = new TreeNode(level)
    for (const [place, id, share] of places) {
      const chunkCount = level === 0 ? 1 : 1 + Math.floor((Math.abs(share) % 1 || 0) * (PLACES ** level - 1))
      node.set(place, { id, chunkCount })
    }
    return node
  })

function plain(node: TreeNode): readonly (readonly [number, string, number])[] {
  const places = [...node.chunkCounts.keys()].filter((place) => node.isSet(place))
  return places.map((place) => [place, node.idAt(place).toHex(), node.chunkCounts[place] ?? 0])
}

function leafWith(places: readonly number[]): TreeNode {
  const node = new TreeNode(0)
  for (const place of places) node.set(place, { id: randomBytes(32), chunkCount: 1 })
  return node
}

test('parseTreeNode() undoes encodeTreeNode()', () => {
  fc.assert(
    fc.property(anyNode, (node) => {
      const bytes = encodeTreeNode(node)
      assert.ok(bytes.byteLength <= NODE_SIZE_MAX)
      const parsed = parseTreeNode(bytes, node.level)
      assert.deepEqual(plain(parsed), plain(node))
      assert.equal(parsed.chunkCount, node.chunkCount)
    }),
  )
})

test('encodeTreeNode() leaves no trace of places that were cleared', () => {
  const node = leafWith([0, 5, 6, 255])
  const cleared = node.copy()
  cleared.set(9, { id: randomBytes(32), chunkCount: 1 })
  cleared.clear(9)
  assert.deepEqual(encodeTreeNode(cleared), encodeTreeNode(node))
  cleared.clearFrom(6)
  assert.deepEqual(plain(cleared).length, 2)
  assert.equal(node.chunkCount, 4, 'a copy does not change what it was made of')
})

test('parseTreeNode() refuses another level, another length and a damaged header', () => {
  const bytes = encodeTreeNode(leafWith([1, 2, 3]))
  assert.throws(() => parseTreeNode(bytes, 1), /level is 0, expected 1/)
  for (let length = 0; length < bytes.byteLength; length += 1) {
    assert.throws(() => parseTreeNode(bytes.subarray(0, length), 0), SyntaxError)
  }
  assert.throws(() => parseTreeNode(Buffer.concat([bytes, Buffer.alloc(32)]), 0), SyntaxError)
  for (let at = 0; at < 48; at += 1) {
    const flipped = Uint8Array.from(bytes)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    assert.throws(() => parseTreeNode(flipped, 0), SyntaxError, `byte ${at}`)
  }
})

test('parseTreeNode() refuses counts that no subtree can have', () => {
  for (const [level, count] of [
    [1, 0],
    [1, 257],
    [2, 65_537],
    [3, Number.MAX_SAFE_INTEGER],
  ] as const) {
    const node = new TreeNode(level)
    node.set(4, { id: randomBytes(32), chunkCount: 1 })
    const bytes = encodeTreeNode(node)
    new DataView(bytes.buffer).setBigUint64(bytes.byteLength - 8, BigInt(count), true)
    assert.throws(() => parseTreeNode(bytes, level), /counts/)
  }
})
