// Blocks that an allocation group keeps for itself. Those of its trees name themselves since version 5: "XFS Algorithms
// & Data Structures", 3rd edition, chapter "Self-Describing Metadata".
import { isSameBytes } from '../../../bytes/same-bytes.ts'
import { agOffsetBytes } from '../addresses.ts'
import { FREE_BY_BLOCK, FREE_BY_SIZE, FREE_INODES, INODES } from '../btree-kinds.ts'
import { expectedChecksum } from '../checksum.ts'
import type { XfsSuperblock } from '../superblock.ts'

/** "RMB3" */
const REVERSE_MAP_MAGIC = 0x524d4233
/** "R3FC" */
const REFERENCE_COUNT_MAGIC = 0x52334643
const AG_TREES: ReadonlySet<number> = new Set([
  ...[FREE_BY_BLOCK, FREE_BY_SIZE, INODES, FREE_INODES].map(({ magic }) => magic[5]),
  REVERSE_MAP_MAGIC,
  REFERENCE_COUNT_MAGIC,
])
const FIELD = { place: 16, uuid: 32, owner: 48, checksum: 52 }
const ADDRESS_UNIT_BYTES = 512

/** Whether a block of version 5 is one of a tree of the AG that it lies in: whole, and at its place. */
export function isAgTreeBlock(superblock: XfsSuperblock, bytes: Uint8Array, offsetBytes: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!AG_TREES.has(view.getUint32(0))) return false
  const agNumber = Math.floor(offsetBytes / agOffsetBytes(superblock, 1))
  if (view.getUint32(FIELD.owner) !== agNumber) return false
  const address = view.getUint32(FIELD.place) * 2 ** 32 + view.getUint32(FIELD.place + 4)
  if (address * ADDRESS_UNIT_BYTES !== offsetBytes) return false
  if (!isSameBytes(bytes.subarray(FIELD.uuid, FIELD.uuid + 16), superblock.metaUuid)) return false
  return view.getUint32(FIELD.checksum, true) === expectedChecksum(bytes, FIELD.checksum)
}
