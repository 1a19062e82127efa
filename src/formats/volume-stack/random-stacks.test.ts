// Stacks made at random, sound and odd ones: whatever lies on what, no byte that a file system uses is called free.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import {
  DISK_BYTES,
  diskUuids,
  diskWithText,
  EXTENT_BYTES,
  extentOffset,
} from '../../../test/support/group-disks.ts'
import { groupText, linear, whole, type VolumeDraft } from '../../../test/support/lvm-text.ts'
import { makeExt4 } from '../../../test/support/make-ext4.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import {
  assertNothingUsedIsFree,
  assertRanges,
  bytesOf,
  freeOnImages,
  stackOf,
} from '../../../test/support/stack-of.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'

const EXTENTS = 63
const STRIPE = 64 * 1024
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const
const HIDDEN = '"READ", "WRITE"'

/** File systems to put on volumes: clean ones, one that is not, and a disk with a partition. */
const CONTENTS = ((): readonly Uint8Array[] => {
  using folder = temporaryFolder()
  const paths = [4, 7, 12].map((extents, index) => {
    const path = folder.join(`ext4-${index}`)
    const words = ['-t', index === 1 ? 'ext2' : 'ext4', '-b', '1024']
    makeExt4(path, { sizeBytes: extents * EXTENT_BYTES, words, fileCount: 10 * (index + 1) })
    return path
  })
  const [first, ...others] = paths.map((path) => new Uint8Array(readFileSync(path)))
  assert(first !== undefined)
  runTool('debugfs', ['-w', '-R', 'feature needs_recovery', paths[0] ?? ''])
  const unclean = new Uint8Array(readFileSync(paths[0] ?? ''))
  const disk = folder.join('disk')
  runTool('truncate', ['-s', String(8 * EXTENT_BYTES), disk])
  runTool('sfdisk', ['--quiet', disk], { input: 'label: gpt\nstart=2048, size=8192\n' })
  const nested = new Uint8Array(readFileSync(disk))
  nested.set(first, EXTENT_BYTES)
  return [first, ...others, unclean, nested]
})()

/** Pieces of a volume: where they lie, in extents. */
type Piece = { readonly disk: number; readonly start: number; readonly count: number }

type Model = {
  readonly diskCount: number
  /** `pieces` of one count each when `isStriped`. */
  readonly volumes: readonly {
    readonly pieces: readonly Piece[]
    readonly isStriped: boolean
    readonly content: number
  }[]
  /** By index: a volume that lies on, or is a snapshot of, another one. */
  readonly shared: readonly { readonly kind: 'on' | 'snapshot'; readonly of: number }[]
  readonly oddity: 'none' | 'missing disk' | 'older text' | 'disk twice'
}

const piece = fc.record({
  disk: fc.nat(2),
  start: fc.nat(EXTENTS - 13),
  count: fc.integer({ min: 1, max: 12 }),
})

const models: fc.Arbitrary<Model> = fc.record({
  diskCount: fc.integer({ min: 1, max: 3 }),
  volumes: fc.array(
    fc.record({
      pieces: fc.array(piece, { minLength: 1, maxLength: 4 }),
      isStriped: fc.boolean(),
      content: fc.nat(CONTENTS.length),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  shared: fc.array(fc.record({ kind: fc.constantFrom('on' as const, 'snapshot' as const), of: fc.nat(3) }), {
    maxLength: 1,
  }),
  oddity: fc.oneof(
    { weight: 6, arbitrary: fc.constant('none' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('missing disk' as const, 'older text' as const, 'disk twice' as const),
    },
  ),
})

/** Moves pieces apart where others have their extents already: three models of four are sound. */
function apart(model: Model, seed: number): Model {
  if (seed % 4 === 0) return model
  const next = Array.from({ length: model.diskCount }, () => 0)
  const volumes = model.volumes.map((volume) => ({
    ...volume,
    pieces: volume.pieces.map((one) => {
      const disk = one.disk % model.diskCount
      const start = next[disk] ?? 0
      next[disk] = start + one.count + (one.start % 2)
      return { ...one, disk, start }
    }),
  }))
  return { ...model, volumes }
}

function isWithin({ disk, start, count }: Piece, model: Model): boolean {
  return disk < model.diskCount && start + count <= EXTENTS
}

/** Pieces that a striped volume has are all as long as its first one. */
function piecesOf(volume: Model['volumes'][number]): readonly Piece[] {
  const count = volume.pieces[0]?.count ?? 1
  return volume.isStriped ? volume.pieces.map((one) => ({ ...one, count })) : volume.pieces
}

function draftOf(volume: Model['volumes'][number], name: string): VolumeDraft {
  const pieces = piecesOf(volume)
  if (volume.isStriped && pieces.length > 1) {
    const areas = pieces.map(({ disk, start }) => `"pv${disk}", ${start}`).join(', ')
    const count = pieces.reduce((sum, one) => sum + one.count, 0)
    const rest = `stripe_count = ${pieces.length} stripe_size = ${STRIPE / 512} stripes = [${areas}]`
    return { name, segments: [whole(count, 'striped', rest)] }
  }
  let extent = 0
  const segments = pieces.map(({ disk, start, count }) => {
    extent += count
    return linear(extent - count, count, `"pv${disk}", ${start}`)
  })
  return { name, segments }
}

/** Where a byte of a volume lies, from the model alone. */
function placeOf(volume: Model['volumes'][number], offset: number): { disk: number; offset: number } {
  const pieces = piecesOf(volume)
  if (volume.isStriped && pieces.length > 1) {
    const stripe = Math.floor(offset / STRIPE)
    const one = pieces[stripe % pieces.length]
    assert(one !== undefined)
    const inside = Math.floor(stripe / pieces.length) * STRIPE + (offset % STRIPE)
    return { disk: one.disk, offset: extentOffset(one.start) + inside }
  }
  let left = offset
  for (const { disk, start, count } of pieces) {
    if (left < count * EXTENT_BYTES) return { disk, offset: extentOffset(start) + left }
    left -= count * EXTENT_BYTES
  }
  throw new RangeError('beyond the volume')
}

function makeDisks(model: Model): Uint8Array[] {
  const volumes = model.volumes.map((volume, index) => draftOf(volume, NAMES[index] ?? 'z'))
  for (const { kind, of } of model.shared) {
    const under = of % model.volumes.length
    const name = NAMES[under] ?? 'z'
    const count = model.volumes[under] === undefined ? 1 : countOf(model.volumes[under])
    if (kind === 'on') volumes.push({ name: 'over', segments: [linear(0, count, `"${name}", 0`)] })
    else {
      volumes.push({ name: 'store', segments: [linear(0, 1, '"pv0", 62')] })
      const rest = `chunk_size = 8 origin = "${name}" cow_store = "store"`
      volumes.push({ name: 'snapshot0', status: HIDDEN, segments: [whole(count, 'snapshot', rest)] })
    }
  }
  const devices = diskUuids({ diskCount: model.diskCount, volumes })
  const text = (seqno: number): string => groupText({ devices, volumes, seqno })
  const disks = devices.map((uuid, index) =>
    diskWithText(uuid, text(model.oddity === 'older text' && index === 0 ? 1 : 2)),
  )
  for (const volume of model.volumes) {
    const content = CONTENTS[volume.content]
    const sizeBytes = countOf(volume) * EXTENT_BYTES
    if (content === undefined) continue
    for (let offset = 0; offset < Math.min(sizeBytes, content.byteLength); offset += STRIPE) {
      const at = placeOf(volume, offset)
      disks[at.disk]?.set(content.subarray(offset, offset + STRIPE), at.offset)
    }
  }
  const [first] = disks
  assert(first !== undefined)
  if (model.oddity === 'missing disk' && disks.length > 1) return disks.slice(1)
  return model.oddity === 'disk twice' ? [...disks, first.slice()] : disks
}

function countOf(volume: Model['volumes'][number]): number {
  return piecesOf(volume).reduce((sum, one) => sum + one.count, 0)
}

test('of a stack made at random, no byte is free that a file system uses, or LVM itself', async () => {
  let freeBytes = 0
  await fc.assert(
    fc.asyncProperty(models, fc.nat(1000), async (drawn, seed) => {
      const model = apart(drawn, seed)
      fc.pre(model.volumes.flatMap(piecesOf).every((one) => isWithin(one, model)))
      const stack = await stackOf(...makeDisks(model))
      await assertNothingUsedIsFree(stack)
      for (const free of await freeOnImages(stack)) {
        assertRanges(free, DISK_BYTES)
        assert((free[0]?.offset ?? EXTENT_BYTES) >= EXTENT_BYTES, 'the label and the text')
        freeBytes += bytesOf(free)
      }
    }),
    { numRuns: 60, seed: 20261122 },
  )
  assert(freeBytes > 0, 'some of it was free')
})
