import assert from 'node:assert/strict'
import { test } from 'node:test'

import { inodeChunkAt } from './inode-chunk.ts'

const PLACE = { structure: 'a leaf', offsetBytes: 4096 }

type Fields = {
  readonly first?: number
  readonly holes?: number
  readonly count?: number
  readonly free?: number
  readonly mask?: bigint
}

/** A leaf with one record; the AG has 128 inodes. */
function read({ first = 64, holes = 0, count = 64, free = 0, mask = 0n }: Fields): () => unknown {
  const view = new DataView(new ArrayBuffer(16))
  view.setUint32(0, first)
  view.setUint16(4, holes)
  view.setUint8(6, count)
  view.setUint8(7, free)
  view.setBigUint64(8, mask)
  const leaf = { view, place: PLACE, itemsOffset: 0 }
  return () => inodeChunkAt(leaf, 0, { isSparse: true, inodesPerBlock: 8, inodeEnd: 128 })
}

test('inodeChunkAt() tells which inodes of a chunk are in use', () => {
  const chunk = read({ holes: 0xff00, count: 32, free: 1, mask: 0xffff_ffff_0000_0002n })()
  const inUse = Array.from({ length: 64 }, (_, index) => index < 32 && index !== 1)
  const isThere = Array.from({ length: 64 }, (_, index) => index < 32)
  assert.deepEqual(chunk, { firstInode: 64, inodeCount: 32, freeCount: 1, isThere, inUse })
})

test('inodeChunkAt() refuses records that cannot be', () => {
  const cases: readonly (readonly [string, Fields])[] = [
    ['from 60 does not begin with a block', { first: 60 }],
    ['from 72 reaches beyond inode 128', { first: 72 }],
    ['from 64 has an inode in use in a hole', { holes: 1, count: 60 }],
    ['from 64 has 64, 0 of them free, and says 60 and 0', { count: 60 }],
    ['from 64 has 64, 1 of them free, and says 64 and 0', { mask: 1n }],
    ['from 64 has 60, 0 of them free, and says 64 and 0', { holes: 1, mask: 15n }],
  ]
  for (const [found, fields] of cases) {
    assert.throws(read(fields), {
      name: 'FormatError',
      message: `Cannot read a leaf at byte 4096: its record 0 of inodes ${found}`,
    })
  }
})
