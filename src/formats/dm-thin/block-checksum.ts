import { crc32c } from '../../bytes/crc32c.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'

/** The checksum that a metadata block must carry in its first four bytes; `salt` is that of its kind. */
export function blockChecksum(block: Uint8Array, salt: number): number {
  return (~crc32c(block.subarray(4)) ^ salt) >>> 0
}

/** The block's checksum. Throws FormatError unless it is right. */
export function requireChecksum(block: Uint8Array, salt: number, place: StructurePlace): number {
  const found = new DataView(block.buffer, block.byteOffset).getUint32(0, true)
  const expected = blockChecksum(block, salt)
  if (found === expected) return found
  throw new FormatError(place, `checksum is 0x${found.toString(16)}, expected 0x${expected.toString(16)}`)
}
