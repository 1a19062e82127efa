import { crc32 } from '../../bytes/crc32.ts'

/** What LVM begins with; unlike the usual CRC-32 it inverts neither that nor the result. */
const INITIAL = 0xf597a6cf

/** The checksum of labels, metadata headers and texts. */
export function lvmChecksum(bytes: Uint8Array): number {
  return ~crc32(bytes, ~INITIAL >>> 0) >>> 0
}
