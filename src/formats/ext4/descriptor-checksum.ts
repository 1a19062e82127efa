// Checksums of group descriptors and of the bitmaps they point to, from the kernel's "ext4 Data Structures and
// Algorithms", sections "Block Group Descriptors" and "Checksums".
import { crc16 } from '../../bytes/crc16.ts'
import { ext4Checksum, ext4ChecksumOfWord, littleEndian32 } from './checksum.ts'
import type { Superblock } from './superblock.ts'

/** The two bytes of the checksum within a descriptor. */
export const CHECKSUM_OFFSET = 0x1e
const CHECKSUM_END = 0x20
const CRC16_START = 0xffff

/**
 * What the checksum of the descriptor of `group` has to be; null when the file system has none. `descriptor` is the caller's
 * own copy: its checksum is zero from here on, as which it counts.
 */
export function descriptorChecksum(
  superblock: Superblock,
  group: number,
  descriptor: Uint8Array,
): number | null {
  const { features } = superblock
  if (features.metadataChecksums) {
    descriptor.fill(0, CHECKSUM_OFFSET, CHECKSUM_END)
    return ext4Checksum(descriptor, ext4ChecksumOfWord(group, superblock.checksumSeed)) & 0xffff
  }
  if (!features.groupChecksums) return null
  const ofGroup = crc16(littleEndian32(group), crc16(superblock.uuid, CRC16_START))
  return crc16(descriptor.subarray(CHECKSUM_END), crc16(descriptor.subarray(0, CHECKSUM_OFFSET), ofGroup))
}

/** Descriptors of this size and more hold all 32 bits of the checksum of a block bitmap. */
const BLOCK_BITMAP_CHECKSUM_END = 0x3a

/** What the checksum of a block bitmap has to be, as far as its descriptor holds it; null when there is none. */
export function blockBitmapChecksum(superblock: Superblock, bitmap: Uint8Array): number | null {
  if (!superblock.features.metadataChecksums) return null
  const checksum = ext4Checksum(bitmap.subarray(0, superblock.clustersPerGroup / 8), superblock.checksumSeed)
  return superblock.descriptorSizeBytes >= BLOCK_BITMAP_CHECKSUM_END ? checksum : checksum & 0xffff
}
