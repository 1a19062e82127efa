import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { FileNode } from './file-system.ts'
import { PackedNodes } from './packed-nodes.ts'

const anyNumber = fc.maxSafeNat()
const anyTime = fc.record(
  { seconds: fc.maxSafeInteger(), nanoseconds: fc.nat(999_999_999) },
  { noNullPrototype: true },
)
const anyNode: fc.Arbitrary<FileNode> = fc.record(
  {
    number: anyNumber,
    generation: fc.nat(2 ** 32 - 1),
    kind: fc.constantFrom(
      ...(['file', 'directory', 'symlink', 'block-device', 'character-device', 'fifo', 'socket'] as const),
    ),
    mode: fc.nat(0o7777),
    userId: fc.nat(2 ** 32 - 1),
    groupId: fc.nat(2 ** 32 - 1),
    sizeBytes: anyNumber,
    linkCount: fc.nat(2 ** 32 - 1),
    accessed: anyTime,
    modified: anyTime,
    changed: anyTime,
    born: fc.option(anyTime),
    device: fc.option(fc.record({ major: fc.nat(), minor: fc.nat() }, { noNullPrototype: true })),
  },
  { noNullPrototype: true },
)

const anyOrigin = fc.option(
  fc.record({ number: anyNumber, generation: fc.nat(2 ** 32 - 1) }, { noNullPrototype: true }),
)

test('PackedNodes give back what was put, and null where nothing was', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.tuple(anyNode, anyOrigin)), { maxLength: 20 }), (all) => {
      const nodes = all.map((one) => {
        if (one === null) return null
        const [node, origin] = one
        return origin === null ? node : { ...node, origin }
      })
      const packed = new PackedNodes(nodes.length)
      for (const [place, node] of nodes.entries()) if (node !== null) packed.put(place, node)
      assert.deepEqual(
        nodes.map((_, place) => packed.get(place)),
        nodes,
      )
    }),
  )
})
