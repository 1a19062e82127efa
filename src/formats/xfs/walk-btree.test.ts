import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { bytesImage } from '../../../test/support/bytes-image.ts'
import { writeXfsBtree } from '../../../test/support/xfs-btree.ts'
import { FormatError } from '../format-error.ts'
import { INODES } from './btree-kinds.ts'
import { parseFeatures } from './features.ts'
import type { XfsSuperblock } from './superblock.ts'
import type { XfsVolume } from './volume.ts'
import { walkBtree, type BtreeWalk } from './walk-btree.ts'

const BLOCK_BYTES = 512
const BLOCK_COUNT = 256
const FIRST_BLOCK = 10
const place = { structure: 'XFS AGI 0', offsetBytes: 0 }

/** One AG of version 4, all that the walk asks of it. */
const SUPERBLOCK: XfsSuperblock = {
  features: parseFeatures(
    { versionNumber: 0x2004, features2: 0, readOnlyCompatible: 0, incompatible: 0, logIncompatible: 0 },
    place,
  ),
  label: '',
  uuid: new Uint8Array(16),
  metaUuid: new Uint8Array(16),
  blockSizeBytes: BLOCK_BYTES,
  sectorSizeBytes: 512,
  inodeSizeBytes: 256,
  directoryBlockSizeBytes: 4096,
  blockLog: 9,
  inodesPerBlockLog: 1,
  agBlockLog: 8,
  inodesPerBlock: 2,
  blockCount: BLOCK_COUNT,
  sizeBytes: BLOCK_COUNT * BLOCK_BYTES,
  agBlocks: BLOCK_COUNT,
  agCount: 1,
  hiddenInodes: new Set(),
  rootInode: 64,
  inodeAlignmentBlocks: 0,
  sparseInodeAlignmentBlocks: 0,
  log: { startFsBlock: null, blockCount: 0, sectorSizeBytes: 512, stripeUnitBytes: 0 },
  realtime: null,
  counters: { inodes: 0, freeInodes: 0, freeBlocks: 0 },
}

type Tree = { readonly ag: Uint8Array; readonly root: number; readonly levels: number }

function treeOf(records: readonly number[], fill = 5): Tree {
  const ag = new Uint8Array(BLOCK_COUNT * BLOCK_BYTES)
  const plan = { kind: INODES, blockSizeBytes: BLOCK_BYTES, firstBlock: FIRST_BLOCK, records, fill }
  return { ag, ...writeXfsBtree(ag, plan) }
}

async function recordsOf(tree: Tree, window?: BtreeWalk['window']): Promise<number[]> {
  const volume: XfsVolume = { image: bytesImage(tree.ag), superblock: SUPERBLOCK, findings: [] }
  const walk = { kind: INODES, agNumber: 0, owner: 0, ...(window && { window }) }
  const found: number[] = []
  for await (const leaf of walkBtree(volume, walk, [{ pointer: tree.root, level: tree.levels - 1, place }])) {
    for (let index = 0; index < leaf.count; index += 1) {
      found.push(leaf.view.getUint32(leaf.itemsOffset + index * INODES.recordBytes))
    }
  }
  return found
}

const anyRecords = fc
  .uniqueArray(fc.nat(1_000_000), { maxLength: 400 })
  .map((records) => records.toSorted((a, b) => a - b))
const RECORDS = Array.from({ length: 400 }, (_, index) => 7 * index)

test('walkBtree() finds all records in order', async () => {
  await fc.assert(
    fc.asyncProperty(anyRecords, fc.integer({ min: 4, max: 20 }), async (records, fill) => {
      assert.deepEqual(await recordsOf(treeOf(records, fill)), records)
    }),
    { numRuns: 50 },
  )
})

test('walkBtree() with a window finds at least what is in it, and leaves out most of the rest', async () => {
  const window = { first: 700, end: 770 }
  const found = await recordsOf(treeOf(RECORDS), window)
  const inside = RECORDS.filter((record) => record >= window.first && record < window.end)
  assert.deepEqual(
    found.filter((record) => inside.includes(record)),
    inside,
  )
  assert(found.length <= inside.length + 10)
})

test('walkBtree() ends on any damage, with a FormatError or with no more records than there were', async () => {
  const whole = treeOf(RECORDS)
  const treeBytes = { min: FIRST_BLOCK * BLOCK_BYTES, max: (FIRST_BLOCK + 130) * BLOCK_BYTES - 1 }
  const anyDamage = fc.array(fc.tuple(fc.integer(treeBytes), fc.nat(255)), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(anyDamage, async (damage) => {
      const ag = whole.ag.slice()
      for (const [offset, value] of damage) ag[offset] = value
      try {
        assert((await recordsOf({ ...whole, ag })).length <= 130 * 31)
      } catch (error) {
        assert(error instanceof FormatError, String(error))
      }
    }),
    { numRuns: 300 },
  )
})

const damages: Readonly<Record<string, readonly [change: (block: DataView) => void, message: RegExp]>> = {
  'another magic': [(block) => block.setUint32(0, 0x41425442), /magic is 0x41425442, expected 0x49414254/u],
  'another level': [(block) => block.setUint16(4, 1), /level is 1, expected 0/u],
  'more records than there is room for': [
    (block) => block.setUint16(6, 32),
    /it holds 32 items, expected 1 to 31/u,
  ],
  'no records': [(block) => block.setUint16(6, 0), /it holds 0 items/u],
  'a wrong left sibling': [(block) => block.setUint32(8, 99), /its left sibling is 99, expected 10/u],
  'a wrong right sibling': [(block) => block.setUint32(12, 11), /its right sibling is 11, expected 12/u],
  'records out of order': [(block) => block.setUint32(16 + 16, 0), /its item 1 is not after the one before/u],
  'a record of its right neighbour': [
    (block) => block.setUint32(16 + 64, 70),
    /not those its parent has a key for/u,
  ],
}

for (const [name, [change, message]] of Object.entries(damages)) {
  test(`walkBtree() refuses a leaf with ${name}`, async () => {
    const tree = treeOf(RECORDS)
    change(new DataView(tree.ag.buffer, (FIRST_BLOCK + 1) * BLOCK_BYTES, BLOCK_BYTES))
    await assert.rejects(
      recordsOf(tree),
      (error) => error instanceof FormatError && message.test(error.message),
    )
  })
}

test('walkBtree() refuses a pointer to its own block, and one that leaves the AG', async () => {
  for (const [pointer, message] of [
    [0, /level is|not those|magic/u],
    [5000, /block 5000 of AG 0, which is not there/u],
  ] as const) {
    const tree = treeOf(RECORDS)
    const pointersOffset = 16 + Math.floor((BLOCK_BYTES - 16) / 8) * 4
    const root = new DataView(tree.ag.buffer, tree.root * BLOCK_BYTES, BLOCK_BYTES)
    root.setUint32(pointersOffset, pointer === 0 ? tree.root : pointer)
    await assert.rejects(
      recordsOf(tree),
      (error) => error instanceof FormatError && message.test(error.message),
    )
  }
})

test('walkBtree() refuses a tree of 255 levels', async () => {
  await assert.rejects(recordsOf({ ...treeOf(RECORDS), levels: 255 }), /B-tree has 255 levels/u)
})
