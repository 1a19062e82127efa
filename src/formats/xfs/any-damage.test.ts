// Structures of a real XFS, changed at random, with their checksums mended so that what is behind them is tried.
import assert from 'node:assert/strict'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { bytesImage } from '../../../test/support/bytes-image.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { seededRandomness } from '../../../test/support/seeded-randomness.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { whileMounted } from '../../../test/support/xfs-image.ts'
import { fillXfs } from '../../../test/support/xfs-tree.ts'
import type { Randomness } from '../../domain/randomness.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { readAttributes } from './attributes/read-attributes.ts'
import { expectedChecksum } from './checksum.ts'
import { readDirectory } from './directory/read-directory.ts'
import { mapFile } from './file-extents.ts'
import { readInode } from './read-inode.ts'
import { readSuperblock } from './read-superblock.ts'
import { readSymlink } from './symlink.ts'
import type { XfsVolume } from './volume.ts'

const NEVER = new AbortController().signal
const RUN_COUNT = 1500
/** An undamaged file of this image takes some milliseconds. */
const RUN_MS_MAX = 5000
const IMAGE_BYTES = 310 * 2 ** 20
const BLOCK_BYTES = 1024
const INODE_BYTES = 512
const DIRECTORY_BLOCK_BYTES = 4096

/** Offsets in a structure; `magic` with the offset where it lies. */
type Kind = {
  readonly magics: readonly number[]
  readonly magicAt: number
  readonly magicBytes: 2 | 4
  readonly alignment: number
  readonly length: number
  readonly checksum: number
  readonly inode: number
}

const BLOCK = { magicAt: 0, magicBytes: 4, alignment: BLOCK_BYTES, length: BLOCK_BYTES } as const
const KINDS: readonly Kind[] = [
  {
    magics: [0x494e],
    magicAt: 0,
    magicBytes: 2,
    alignment: INODE_BYTES,
    length: INODE_BYTES,
    checksum: 100,
    inode: 152,
  },
  { ...BLOCK, magics: [0x58444233, 0x58444433], length: DIRECTORY_BLOCK_BYTES, checksum: 4, inode: 40 },
  { ...BLOCK, magics: [0x424d4133], checksum: 64, inode: 56 },
  { ...BLOCK, magics: [0x5841524d, 0x58534c4d], checksum: 12, inode: 32 },
  { ...BLOCK, magics: [0x3bee, 0x3ebe], magicAt: 8, magicBytes: 2, checksum: 12, inode: 48 },
]

type Structure = { readonly kind: Kind; readonly offset: number; readonly inode: number }

test(
  'Files of an XFS with any damage are read, or a FormatError says why not',
  { skip: needsLoopDevices() },
  async (t) => {
    const bytes = makeImage()
    const image = bytesImage(bytes)
    const { superblock } = await readSuperblock(image, [])
    const volume = { image, superblock, findings: [] }
    const structures = KINDS.map((kind) => structuresOf(bytes, kind))
    for (const found of structures) assert.ok(found.length > 0)
    const seed = Number(process.env['ICECORE_TEST_SEED'] ?? 7)
    t.diagnostic(`ICECORE_TEST_SEED=${seed}`)
    const randomness = seededRandomness(seed)
    for (let run = 0; run < RUN_COUNT; run += 1) {
      const ofKind = structures[randomness.below(structures.length)] ?? []
      const structure = ofKind[randomness.below(ofKind.length)]
      assert.ok(structure !== undefined)
      const { offset, kind, inode } = structure
      const part = bytes.subarray(offset, offset + kind.length)
      const before = part.slice()
      damage(part, randomness)
      new DataView(part.buffer, part.byteOffset).setUint32(
        kind.checksum,
        expectedChecksum(part, kind.checksum),
        true,
      )
      const started = performance.now()
      await readFile(volume, inode)
      assert.ok(performance.now() - started < RUN_MS_MAX, `run ${run}, byte ${offset}`)
      part.set(before)
    }
  },
)

function makeImage(): Uint8Array {
  using folder = temporaryFolder()
  const path = folder.join('xfs.img')
  writeFileSync(path, '')
  truncateSync(path, IMAGE_BYTES)
  runTool('mkfs.xfs', ['-q', '-b', `size=${BLOCK_BYTES}`, '-i', 'nrext64=1', path])
  const tree = { entryCount: 1000, fragmentCount: 500, blockSizeBytes: BLOCK_BYTES, hasReflink: true }
  const mount = folder.join('mount')
  whileMounted(path, mount, () => fillXfs(mount, tree))
  return readFileSync(path)
}

function structuresOf(bytes: Uint8Array, kind: Kind): readonly Structure[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Structure[] = []
  for (let offset = 0; offset + kind.length <= bytes.byteLength; offset += kind.alignment) {
    const at = offset + kind.magicAt
    const magic = kind.magicBytes === 2 ? view.getUint16(at) : view.getUint32(at)
    if (!kind.magics.includes(magic)) continue
    // By the checksum: a file may hold bytes that look like one.
    const part = bytes.subarray(offset, offset + kind.length)
    if (view.getUint32(offset + kind.checksum, true) !== expectedChecksum(part, kind.checksum)) continue
    found.push({ kind, offset, inode: Number(view.getBigUint64(offset + kind.inode)) })
  }
  return found
}

/** A few fields, mostly near the start, become 0, the largest, another by one, or anything. */
function damage(part: Uint8Array, randomness: Randomness): void {
  for (let count = 1 + randomness.below(3); count > 0; count -= 1) {
    const width = 2 ** randomness.below(4)
    const span = randomness.below(3) === 0 ? part.byteLength : Math.min(part.byteLength, 256)
    const field = part.subarray(randomness.below(span - width + 1)).subarray(0, width)
    const last = field[width - 1] ?? 0
    const ways = [
      (): void => void field.fill(0),
      (): void => void field.fill(0xff),
      (): void => void field.fill(last + 1, width - 1),
      (): void => field.set(randomness.bytes(width)),
      (): void => field.set(part.subarray(randomness.below(part.byteLength - width)).slice(0, width)),
    ]
    ways[randomness.below(ways.length)]?.()
  }
}

async function readFile(volume: XfsVolume, number: number): Promise<void> {
  const parts = [
    async (): Promise<void> => void (await readAttributes(volume, await readInode(volume, number))),
    (): Promise<void> => readContent(volume, number),
  ]
  for (const read of parts) {
    try {
      await read()
    } catch (error) {
      if (!(error instanceof FormatError) && !(error instanceof UnmappedError)) throw error
    }
  }
}

/** Whatever is said of a file, its map covers it and lies in the volume. */
async function readContent(volume: XfsVolume, number: number): Promise<void> {
  const inode = await readInode(volume, number)
  if (inode.kind === 'symlink') await readSymlink(volume, inode)
  if (inode.kind === 'directory') for await (const _ of readDirectory(volume, inode, NEVER));
  if (inode.kind !== 'file' || inode.sizeBytes === 0) return
  let position = 0
  const range = { offset: 0, length: inode.sizeBytes }
  for await (const batch of mapFile(volume, inode, { range, signal: NEVER })) {
    for (const extent of batch) {
      assert.equal(extent.offset, position)
      position += extent.length
      if (extent.kind === 'data') assert.ok(extent.physicalOffset + extent.length <= IMAGE_BYTES)
    }
  }
  assert.equal(position, inode.sizeBytes)
}
