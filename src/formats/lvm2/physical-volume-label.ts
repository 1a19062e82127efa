import { readStruct } from '../../bytes/struct.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import {
  AREA_LOCATION,
  AREA_LOCATION_BYTES,
  EXTENSION_HEADER,
  EXTENSION_HEADER_BYTES,
  EXTENSION_USED_FLAG,
  LABEL_CHECKED_OFFSET,
  LABEL_HEADER,
  LABEL_HEADER_BYTES,
  LABEL_ID,
  LABEL_TYPE,
  PHYSICAL_VOLUME_HEADER,
  PHYSICAL_VOLUME_HEADER_BYTES,
  SECTOR_BYTES,
} from './layout.ts'
import { lvmChecksum } from './lvm-checksum.ts'
import { formatLvmUuid } from './lvm-uuid.ts'
import { hex } from '../hex.ts'
import { readStructure } from '../read-structure.ts'
import { asciiOf } from './ascii-of.ts'

/** Where something lies on a physical volume. A data area of size 0 goes on to the end of the device. */
export type PhysicalArea = { readonly offset: number; readonly sizeBytes: number }

/** What the label of a physical volume says, and the headers behind it. */
export type PhysicalVolumeLabel = {
  readonly offset: number
  readonly uuid: string
  readonly deviceSizeBytes: number
  readonly dataAreas: readonly PhysicalArea[]
  readonly metadataAreas: readonly PhysicalArea[]
  /** Space that is kept for a boot loader. */
  readonly bootLoaderAreas: readonly PhysicalArea[]
  /** 0 where there is none. */
  readonly extensionVersion: number
  /** Whether a volume group owns the device, where the extension says so. */
  readonly isUsed: boolean | null
}

/** True when the sector begins as a label does; the rest may still be damaged. */
export function hasLabelId(sector: Uint8Array): boolean {
  return asciiOf(sector.subarray(0, LABEL_ID.length)) === LABEL_ID
}

/** Parses the sector of a label, which lies at `offset` on the device. */
export function parsePhysicalVolumeLabel(sector: Uint8Array, offset: number): PhysicalVolumeLabel {
  const place = { structure: 'LVM2 physical volume label', offsetBytes: offset }
  const start = parseLabelHeader(sector, place)
  const header = readStructure(PHYSICAL_VOLUME_HEADER, sector.subarray(start), place)
  const plainUuid = asciiOf(header.uuid)
  const uuid = formatLvmUuid(plainUuid)
  if (uuid === null) {
    throw new FormatError(place, 'the id of the physical volume is not 32 letters and digits')
  }
  const areas = new AreaLists(sector, start + PHYSICAL_VOLUME_HEADER_BYTES, place)
  const dataAreas = areas.next()
  const metadataAreas = areas.next()
  const extension = parseExtension(areas)
  return { offset, uuid, deviceSizeBytes: header.deviceSizeBytes, dataAreas, metadataAreas, ...extension }
}

/** Proves the label and gives the offset of the physical volume's header in the sector. */
function parseLabelHeader(sector: Uint8Array, place: StructurePlace): number {
  const label = readStructure(LABEL_HEADER, sector, place)
  if (!hasLabelId(sector)) throw new FormatError(place, `it does not begin with "${LABEL_ID}"`)
  const expected = lvmChecksum(sector.subarray(LABEL_CHECKED_OFFSET, SECTOR_BYTES))
  if (label.checksum !== expected) {
    throw new FormatError(place, `checksum is ${hex(label.checksum)}, expected ${hex(expected)}`)
  }
  if (label.sector * SECTOR_BYTES !== place.offsetBytes) {
    throw new FormatError(place, `it says that it lies in sector ${label.sector}`)
  }
  if (asciiOf(label.type) !== LABEL_TYPE) throw new FormatError(place, `its type is not "${LABEL_TYPE}"`)
  const { headerOffset } = label
  if (headerOffset < LABEL_HEADER_BYTES || headerOffset + PHYSICAL_VOLUME_HEADER_BYTES > SECTOR_BYTES) {
    throw new FormatError(place, `the header lies at ${headerOffset} of the sector's ${SECTOR_BYTES} bytes`)
  }
  return headerOffset
}

function parseExtension(
  areas: AreaLists,
): Pick<PhysicalVolumeLabel, 'bootLoaderAreas' | 'extensionVersion' | 'isUsed'> {
  const extension = areas.extension()
  // Tools from before the extension left zeros behind the lists.
  if (extension === null || extension.version === 0) {
    return { bootLoaderAreas: [], extensionVersion: 0, isUsed: null }
  }
  return {
    bootLoaderAreas: areas.next(),
    extensionVersion: extension.version,
    isUsed: extension.version < 2 ? null : (extension.flags & EXTENSION_USED_FLAG) !== 0,
  }
}

/** The lists behind the header, one after the other within the sector. */
class AreaLists {
  readonly #sector: Uint8Array
  readonly #place: StructurePlace
  #position: number

  constructor(sector: Uint8Array, position: number, place: StructurePlace) {
    this.#sector = sector
    this.#position = position
    this.#place = place
  }

  next(): readonly PhysicalArea[] {
    const areas: PhysicalArea[] = []
    while (this.#position + AREA_LOCATION_BYTES <= SECTOR_BYTES) {
      const bytes = this.#sector.subarray(this.#position, this.#position + AREA_LOCATION_BYTES)
      this.#position += AREA_LOCATION_BYTES
      const { offset, size } = readStructure(AREA_LOCATION, bytes, this.#place)
      if (offset === 0) return areas
      if (!Number.isSafeInteger(offset + size)) {
        throw new FormatError(this.#place, `an area of ${size} bytes lies at byte ${offset}`)
      }
      areas.push({ offset, sizeBytes: size })
    }
    throw new FormatError(this.#place, 'a list of areas does not end within the sector')
  }

  extension(): { readonly version: number; readonly flags: number } | null {
    const end = this.#position + EXTENSION_HEADER_BYTES
    if (end + AREA_LOCATION_BYTES > SECTOR_BYTES) return null
    const extension = readStruct(EXTENSION_HEADER, this.#sector.subarray(this.#position, end))
    this.#position = end
    return extension
  }
}
