// Version 5 structures carry a CRC-32C of all their bytes with the checksum's own four bytes as zero; it is the one
// field that is little-endian (XFS Algorithms & Data Structures, chapter "Self-describing metadata").
import { crc32c, crc32cOfWord } from '../../bytes/crc32c.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { hex } from '../hex.ts'

/** The checksum that `bytes` should have, which lies in them at `checksumOffset`. */
export function expectedChecksum(bytes: Uint8Array, checksumOffset: number): number {
  const before = crc32c(bytes.subarray(0, checksumOffset))
  return crc32c(bytes.subarray(checksumOffset + 4), crc32cOfWord(0, before))
}

/** Throws FormatError unless the checksum at `checksumOffset` fits the bytes. */
export function requireChecksum(bytes: Uint8Array, checksumOffset: number, place: StructurePlace): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = view.getUint32(checksumOffset, true)
  const expected = expectedChecksum(bytes, checksumOffset)
  if (found !== expected) throw new FormatError(place, `checksum is ${hex(found)}, expected ${hex(expected)}`)
}
