// Checksums of ext4, from the kernel's "ext4 Data Structures and Algorithms", section "Checksums": CRC-32C whose
// register is inverted neither before nor after, started with the seed of the file system.
import { crc32c, crc32cOfWord } from '../../bytes/crc32c.ts'

/** What every chain of checksums starts with. */
const CHECKSUM_START = 0xffffffff

/** CRC-32C of `bytes` as ext4 chains it: the result is the seed of what follows. */
export function ext4Checksum(bytes: Uint8Array, seed: number = CHECKSUM_START): number {
  return ~crc32c(bytes, ~seed) >>> 0
}

/** The same of a number as its four bytes on disk. */
export function ext4ChecksumOfWord(word: number, seed: number = CHECKSUM_START): number {
  return ~crc32cOfWord(word, ~seed) >>> 0
}

/** A number as its four bytes on disk, for the checksums that begin with a group, inode or generation number. */
export function littleEndian32(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24)
}
