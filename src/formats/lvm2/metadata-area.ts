import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import {
  COMMITTED_SLOT_OFFSET,
  METADATA_CHECKED_OFFSET,
  METADATA_HEADER,
  METADATA_HEADER_BYTES,
  METADATA_MAGIC,
  PRECOMMITTED_SLOT_OFFSET,
  TEXT_IGNORED_FLAG,
  TEXT_LOCATION,
} from './layout.ts'
import { lvmChecksum } from './lvm-checksum.ts'
import type { PhysicalArea } from './physical-volume-label.ts'
import { hex } from '../hex.ts'
import { readStructure } from '../read-structure.ts'

/** A group of ten thousand volumes has some 8 MiB of text; far more than that is damage. */
const TEXT_BYTES_MAX = 32 * 1024 * 1024

/** The metadata text of a volume group as one area holds it, its checksum proven. */
export type MetadataText = {
  readonly bytes: Uint8Array
  readonly checksum: number
  /** Where a byte of the text lies on the device: the text may go round the end of its area. */
  offsetOf(position: number): number
}

export type MetadataArea = {
  /** Null where the area holds none: it is new, or its volume group does not use it. */
  readonly text: MetadataText | null
  /** A change was about to be committed when the image was frozen, or was never finished. */
  readonly hasPrecommitted: boolean
}

/** Where the text lies in its area, which is a ring behind its header. */
export type TextLocation = {
  readonly area: PhysicalArea
  readonly offset: number
  readonly sizeBytes: number
  readonly checksum: number
}

/** Reads the metadata area that a label names: its header, and the text that is committed. */
export async function readMetadataArea(image: FrozenImage, area: PhysicalArea): Promise<MetadataArea> {
  const place = { structure: 'LVM2 metadata area', offsetBytes: area.offset }
  if (area.sizeBytes <= METADATA_HEADER_BYTES || area.offset + area.sizeBytes > image.sizeBytes) {
    throw new FormatError(
      place,
      `the label gives it ${area.sizeBytes} bytes, expected more than ${METADATA_HEADER_BYTES} within the ` +
        `device's ${image.sizeBytes}`,
    )
  }
  const header = await readBytes(image, area.offset, METADATA_HEADER_BYTES)
  const { location, hasPrecommitted } = parseMetadataHeader(header, area)
  return { text: location === null ? null : await readText(image, location), hasPrecommitted }
}

/** Parses the 512 bytes at the start of a metadata area; `location` is null when it holds no text. */
function parseMetadataHeader(
  bytes: Uint8Array,
  area: PhysicalArea,
): { readonly location: TextLocation | null; readonly hasPrecommitted: boolean } {
  const place = { structure: 'LVM2 metadata area header', offsetBytes: area.offset }
  const header = readStructure(METADATA_HEADER, bytes, place)
  const magic = header.magic.toHex()
  if (magic !== METADATA_MAGIC) throw new FormatError(place, `magic is ${magic}, expected ${METADATA_MAGIC}`)
  const expected = lvmChecksum(bytes.subarray(METADATA_CHECKED_OFFSET, METADATA_HEADER_BYTES))
  if (header.checksum !== expected) {
    throw new FormatError(place, `checksum is ${hex(header.checksum)}, expected ${hex(expected)}`)
  }
  if (header.version !== 1) throw new FormatError(place, `version is ${header.version}, expected 1`)
  if (header.start !== area.offset || header.size !== area.sizeBytes) {
    throw new FormatError(
      place,
      `it is of the ${header.size} bytes at ${header.start}, expected the ${area.sizeBytes} at ${area.offset}`,
    )
  }
  const committed = readStructure(TEXT_LOCATION, bytes.subarray(COMMITTED_SLOT_OFFSET), place)
  const precommitted = readStructure(TEXT_LOCATION, bytes.subarray(PRECOMMITTED_SLOT_OFFSET), place)
  // The list of slots ends with an offset of 0; what lies behind that is not looked at.
  const isEmpty = committed.offset === 0
  const isIgnored = (committed.flags & TEXT_IGNORED_FLAG) !== 0
  const hasPrecommitted = !isEmpty && !isIgnored && precommitted.offset !== 0
  if (isEmpty || isIgnored) return { location: null, hasPrecommitted }
  requireWithinRing(committed, area, place)
  const { offset, size: sizeBytes, checksum } = committed
  return { location: { area, offset, sizeBytes, checksum }, hasPrecommitted }
}

function requireWithinRing(
  text: { readonly offset: number; readonly size: number },
  area: PhysicalArea,
  place: StructurePlace,
): void {
  const ringBytes = area.sizeBytes - METADATA_HEADER_BYTES
  if (text.offset < METADATA_HEADER_BYTES || text.offset >= area.sizeBytes) {
    throw new FormatError(place, `its text lies at ${text.offset} of the area's ${area.sizeBytes} bytes`)
  }
  const sizeMax = Math.min(ringBytes, TEXT_BYTES_MAX)
  if (text.size === 0 || text.size > sizeMax) {
    throw new FormatError(place, `its text has ${text.size} bytes, expected 1 to ${sizeMax}`)
  }
}

async function readText(image: FrozenImage, location: TextLocation): Promise<MetadataText> {
  const { area, offset, sizeBytes, checksum } = location
  const headBytes = Math.min(sizeBytes, area.sizeBytes - offset)
  const bytes = new Uint8Array(sizeBytes)
  bytes.set(await readBytes(image, area.offset + offset, headBytes))
  if (headBytes < sizeBytes) {
    const ringStart = area.offset + METADATA_HEADER_BYTES
    bytes.set(await readBytes(image, ringStart, sizeBytes - headBytes), headBytes)
  }
  const expected = lvmChecksum(bytes)
  if (expected !== checksum) {
    const place = { structure: 'LVM2 metadata text', offsetBytes: area.offset + offset }
    throw new FormatError(place, `checksum is ${hex(checksum)}, expected ${hex(expected)}`)
  }
  const offsetOf = (position: number): number =>
    position < headBytes
      ? area.offset + offset + position
      : area.offset + METADATA_HEADER_BYTES + position - headBytes
  return { bytes, checksum, offsetOf }
}
