// Checksums of group descriptors and of the bitmaps they point to, from the kernel's "ext4 Data Structures and
// Algorithms", sections "Block Group Descriptors" and "Checksums".
import { crc16 } from '../../bytes/crc16.ts'
import { ext4Checksum, littleEndian32 } from './checksum.ts'
import type { Superblock } from './superblock.ts'

/** The two bytes of the checksum within a descriptor. */
const FIELD_OFFSET = 0x1e
const FIELD_END = 0x20
const NO_CHECKSUM = new Uint8Array(2)
const CRC16_START = 0xffff

/** What the checksum of the descriptor of `group` has to be; null when the file system has none. */
export function descriptorChecksum(
  superblock: Superblock,
  group: number,
  descriptor: Uint8Array,
): number | null {
  const { features } = superblock
  const before = descriptor.subarray(0, FIELD_OFFSET)
  const after = descriptor.subarray(FIELD_END)
  if (features.metadataChecksums) {
    const ofGroup = ext4Checksum(littleEndian32(group), superblock.checksumSeed)
    const ofField = ext4Checksum(NO_CHECKSUM, ext4Checksum(before, ofGroup))
    return ext4Checksum(after, ofField) & 0xffff
  }
  if (!features.groupChecksums) return null
  const ofGroup = crc16(littleEndian32(group), crc16(superblock.uuid, CRC16_START))
  return crc16(after, crc16(before, ofGroup))
}

/** Descriptors of this size and more hold all 32 bits of the checksum of a block bitmap. */
const BLOCK_BITMAP_CHECKSUM_END = 0x3a

/** What the checksum of a block bitmap has to be, as far as its descriptor holds it; null when there is none. */
export function blockBitmapChecksum(superblock: Superblock, bitmap: Uint8Array): number | null {
  if (!superblock.features.metadataChecksums) return null
  const checksum = ext4Checksum(bitmap.subarray(0, superblock.clustersPerGroup / 8), superblock.checksumSeed)
  return superblock.descriptorSizeBytes >= BLOCK_BITMAP_CHECKSUM_END ? checksum : checksum & 0xffff
}
