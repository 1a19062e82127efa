// The header of a GUID partition table, all little-endian: UEFI specification, section 5.3.2 "GPT Header".
import { crc32 } from '../../bytes/crc32.ts'
import { structSizeBytes, type Layout, type StructValues } from '../../bytes/struct.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { hex } from '../hex.ts'
import { readStructure } from '../read-structure.ts'

const HEADER = {
  signature: [0, ['bytes', 8]],
  revision: [8, 'u32le'],
  headerSizeBytes: [12, 'u32le'],
  headerChecksum: [16, 'u32le'],
  ownLba: [24, 'u64le'],
  otherLba: [32, 'u64le'],
  firstUsableLba: [40, 'u64le'],
  lastUsableLba: [48, 'u64le'],
  diskGuid: [56, ['bytes', 16]],
  entriesLba: [72, 'u64le'],
  entryCount: [80, 'u32le'],
  entrySizeBytes: [84, 'u32le'],
  entriesChecksum: [88, 'u32le'],
} as const satisfies Layout

export type GptHeader = StructValues<typeof HEADER>

/** "EFI PART" */
const SIGNATURE = '4546492050415254'
/** The checksum's own bytes count as zero. */
const CHECKSUM_ZERO = new Uint8Array(4)
const CHECKSUM_OFFSET = 16
const ENTRY_SIZE_MIN_BYTES = 128
/** The specification has 128 · 2ⁿ without an end; nobody writes more than 128. */
const ENTRY_SIZE_MAX_BYTES = 4096
/** 128 entries of 128 bytes are usual; this is 256 times that, and what damage may make us read. */
const ENTRIES_MAX_BYTES = 4 * 1024 * 1024

/** The header that is the sector `bytes`. Throws FormatError when its signature, size, checksum or limits are wrong. */
export function parseGptHeader(bytes: Uint8Array, place: StructurePlace): GptHeader {
  const signature = bytes.subarray(0, 8).toHex()
  if (signature !== SIGNATURE) {
    throw new FormatError(place, `signature is ${signature}, expected ${SIGNATURE}`)
  }
  const header = readStructure(HEADER, bytes, place)
  const sizeMinBytes = structSizeBytes(HEADER)
  if (header.headerSizeBytes < sizeMinBytes || header.headerSizeBytes > bytes.byteLength) {
    throw new FormatError(
      place,
      `its size is ${header.headerSizeBytes}, expected ${sizeMinBytes} to ${bytes.byteLength}`,
    )
  }
  const checksum = headerChecksum(bytes.subarray(0, header.headerSizeBytes))
  if (header.headerChecksum !== checksum) {
    throw new FormatError(place, `checksum is ${hex(header.headerChecksum)}, expected ${hex(checksum)}`)
  }
  requireEntriesLimits(header, place)
  return header
}

function headerChecksum(bytes: Uint8Array): number {
  const before = crc32(bytes.subarray(0, CHECKSUM_OFFSET))
  return crc32(bytes.subarray(CHECKSUM_OFFSET + 4), crc32(CHECKSUM_ZERO, before))
}

function requireEntriesLimits({ entryCount, entrySizeBytes }: GptHeader, place: StructurePlace): void {
  const isPowerOfTwo = (entrySizeBytes & (entrySizeBytes - 1)) === 0
  if (entrySizeBytes < ENTRY_SIZE_MIN_BYTES || entrySizeBytes > ENTRY_SIZE_MAX_BYTES || !isPowerOfTwo) {
    throw new FormatError(
      place,
      `size of an entry is ${entrySizeBytes}, expected a power of two from ${ENTRY_SIZE_MIN_BYTES} to ` +
        `${ENTRY_SIZE_MAX_BYTES}`,
    )
  }
  const countMax = ENTRIES_MAX_BYTES / entrySizeBytes
  if (entryCount < 1 || entryCount > countMax) {
    throw new FormatError(place, `entry count is ${entryCount}, expected 1 to ${countMax}`)
  }
}
