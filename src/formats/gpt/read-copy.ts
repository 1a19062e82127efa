import { crc32 } from '../../bytes/crc32.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import type { Range } from '../../domain/range.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { parseGptHeader, type GptHeader } from './header.ts'

/** The unit and the number of them: what sector numbers have to be checked against. */
export type Sectors = { readonly sizeBytes: number; readonly count: number }

export type GptCopyPlace = {
  readonly kind: 'primary' | 'backup'
  readonly lba: number
  readonly sectors: Sectors
}

/** One of the two copies, sound: header and entries have the checksums that they should have. */
export type GptCopy = {
  readonly place: GptCopyPlace
  readonly header: GptHeader
  readonly entries: Uint8Array
  readonly entriesOffset: number
  readonly ranges: readonly Range[]
}

export function headerPlaceOf(place: GptCopyPlace): StructurePlace {
  return { structure: `${place.kind} GPT header`, offsetBytes: place.lba * place.sectors.sizeBytes }
}

/** The header at `place`. Throws FormatError unless it is one, and says that it is there. */
export async function readGptHeader(image: FrozenImage, place: GptCopyPlace): Promise<GptHeader> {
  const { lba, sectors } = place
  const structure = headerPlaceOf(place)
  if (lba < 1 || lba >= sectors.count) {
    throw new FormatError(structure, `it would be sector ${lba}, and the disk has ${sectors.count}`)
  }
  const bytes = await readBytes(image, lba * sectors.sizeBytes, sectors.sizeBytes)
  const header = parseGptHeader(bytes, structure)
  if (header.ownLba !== lba) {
    throw new FormatError(structure, `it says that it is sector ${header.ownLba}, expected ${lba}`)
  }
  return header
}

/** The entries that `header` names. Throws FormatError unless they lie within the disk and have its checksum. */
export async function readGptCopy(
  image: FrozenImage,
  place: GptCopyPlace,
  header: GptHeader,
): Promise<GptCopy> {
  const { sectors } = place
  const lengthBytes = header.entryCount * header.entrySizeBytes
  const sectorCount = Math.ceil(lengthBytes / sectors.sizeBytes)
  if (header.entriesLba < 2 || header.entriesLba + sectorCount > sectors.count) {
    throw new FormatError(
      headerPlaceOf(place),
      `entries are sectors ${header.entriesLba}+${sectorCount}, expected within 2 to ${sectors.count}`,
    )
  }
  const entriesOffset = header.entriesLba * sectors.sizeBytes
  const entries = await readBytes(image, entriesOffset, lengthBytes)
  const checksum = crc32(entries)
  if (checksum !== header.entriesChecksum) {
    throw new FormatError(
      { structure: `${place.kind} GPT entries`, offsetBytes: entriesOffset },
      `checksum is 0x${checksum.toString(16)}, expected 0x${header.entriesChecksum.toString(16)}`,
    )
  }
  const ranges = [
    { offset: place.lba * sectors.sizeBytes, length: sectors.sizeBytes },
    { offset: entriesOffset, length: sectorCount * sectors.sizeBytes },
  ]
  return { place, header, entries, entriesOffset, ranges }
}
