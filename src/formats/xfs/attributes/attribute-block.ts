// What the blocks of attributes begin with, leaves and nodes alike, big endian:
//
//   next on its level (4), previous (4), magic (2), padding (2)      12 bytes
//   version 5: checksum (4), address (8), log (8), UUID (16), owner (8)    56 bytes
//
// Known from "XFS Algorithms & Data Structures", "Directory and attribute block headers". Blocks are numbers in the
// attribute fork, each of one file system block, even where blocks of directories are larger.
import { FormatError, type StructurePlace } from '../../format-error.ts'
import { readForkBlocks } from '../fork-blocks.ts'
import type { InodeFork } from '../fork-extents.ts'
import { hex } from '../../hex.ts'
import { ATTRIBUTE_BLOCK, requireSelfDescription } from '../self-description.ts'
import type { XfsVolume } from '../volume.ts'

const LEAF_MAGIC = { 4: 0xfbee, 5: 0x3bee }
const NODE_MAGIC = { 4: 0xfebe, 5: 0x3ebe }
const HEADER_BYTES = { 4: 12, 5: 56 }

export type AttributeBlock = {
  readonly kind: 'leaf' | 'node'
  readonly version: 4 | 5
  readonly bytes: Uint8Array
  readonly place: StructurePlace
  /** Where the part begins that leaves and nodes have of their own. */
  readonly headerBytes: number
  /** Of the same level; 0 when there is none, for block 0 is the root. */
  readonly next: number
  readonly previous: number
}

export async function readAttributeBlock(
  volume: XfsVolume,
  file: InodeFork,
  blockNumber: number,
): Promise<AttributeBlock> {
  const run = { startBlock: blockNumber, blockCount: 1, structure: 'attribute block' }
  const { bytes, place } = await readForkBlocks(volume, file, run)
  const { metaUuid, features } = volume.superblock
  const { version } = features
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint16(8)
  if (magic !== LEAF_MAGIC[version] && magic !== NODE_MAGIC[version]) {
    throw new FormatError(place, `magic is ${hex(magic)}, expected ${hex(LEAF_MAGIC[version])}`)
  }
  if (version === 5) {
    const expected = { uuid: metaUuid, ownerInode: file.inode.number, fields: ATTRIBUTE_BLOCK }
    requireSelfDescription(bytes, place, expected)
  }
  return {
    kind: magic === LEAF_MAGIC[version] ? 'leaf' : 'node',
    version,
    bytes,
    place,
    headerBytes: HEADER_BYTES[version],
    next: view.getUint32(0),
    previous: view.getUint32(4),
  }
}
