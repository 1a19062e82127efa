// Since version 5 every XFS metadata block names itself: checksum, its own address, the file system's UUID and its
// owner. The fields lie at other offsets in each kind of block. Known from "XFS Algorithms & Data Structures",
// 3rd edition, chapter "Self-Describing Metadata" and the chapters of the structures.
import { isSameBytes } from '../../bytes/same-bytes.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { requireChecksum } from './checksum.ts'

/** Offsets of the fields in the block. */
export type SelfDescription = {
  readonly checksum: number
  readonly blockNumber: number
  readonly uuid: number
  readonly owner: number
}

/** What the block must say. */
export type BlockIdentity = { readonly uuid: Uint8Array; readonly ownerInode: number }

/** Of blocks and data blocks of directories. */
export const DIRECTORY_BLOCK: SelfDescription = { checksum: 4, blockNumber: 8, uuid: 24, owner: 40 }
/** Of leaf and node blocks of attributes. */
export const ATTRIBUTE_BLOCK: SelfDescription = { checksum: 12, blockNumber: 16, uuid: 32, owner: 48 }
/** Of symlink targets and of attribute values that have blocks of their own. */
export const REMOTE_BLOCK: SelfDescription = { checksum: 12, blockNumber: 40, uuid: 16, owner: 32 }

/** Addresses of blocks are in this unit whatever the sector size is. */
const ADDRESS_UNIT_BYTES = 512

/** Throws FormatError unless the block at `place` says that it is whole and is where and whose it should be. */
export function requireSelfDescription(
  bytes: Uint8Array,
  place: StructurePlace,
  expected: BlockIdentity & { readonly fields: SelfDescription },
): void {
  const { fields } = expected
  requireChecksum(bytes, fields.checksum, place)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const address = Number(view.getBigUint64(fields.blockNumber))
  if (address * ADDRESS_UNIT_BYTES !== place.offsetBytes) {
    throw new FormatError(
      place,
      `its own address is sector ${address}, expected ${place.offsetBytes / ADDRESS_UNIT_BYTES}`,
    )
  }
  requireUuid(bytes.subarray(fields.uuid, fields.uuid + 16), place, expected.uuid)
  const owner = Number(view.getBigUint64(fields.owner))
  if (owner !== expected.ownerInode) {
    throw new FormatError(place, `owner is inode ${owner}, expected ${expected.ownerInode}`)
  }
}

export function requireUuid(found: Uint8Array, place: StructurePlace, expected: Uint8Array): void {
  if (isSameBytes(found, expected)) return
  throw new FormatError(place, 'UUID is not that of the file system')
}
