import { crc32c } from '../../bytes/crc32c.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError, UnmappedError, type StructurePlace } from '../format-error.ts'
import { readStructure } from '../read-structure.ts'
import { parseCatalogueIndex, type CatalogueIndex } from './catalogue-index.ts'
import * as layout from './layout.ts'

export type FileSetHeader = {
  readonly chunkSizeBytes: number
  readonly imageSizeBytes: number
  readonly indexOffset: number
  readonly indexSizeBytes: number
  readonly indexChecksum: number
  readonly usedChunkCount: number
  readonly binCount: number
}

export type FileSetIndex = CatalogueIndex & { readonly header: FileSetHeader }

const HEADER_PLACE: StructurePlace = { structure: 'file set header', offsetBytes: 0 }

/** Whether an image begins as that of a file set does. */
export async function isFileSet(image: FrozenImage): Promise<boolean> {
  if (image.sizeBytes < layout.CHUNK_SIZE_BYTES_MIN) return false
  return (await readBytes(image, 0, 8)).toHex() === layout.FILE_SET_MAGIC
}

/** Header and index of a file set. Throws FormatError, and UnmappedError for a later version. */
export async function readFileSetIndex(image: FrozenImage): Promise<FileSetIndex> {
  if (image.sizeBytes < layout.HEADER_SIZE_BYTES)
    throw new FormatError(HEADER_PLACE, 'the image ends before it does')
  const header = parseHeader(await readBytes(image, 0, layout.HEADER_SIZE_BYTES), image.sizeBytes)
  const place = { structure: 'file set index', offsetBytes: header.indexOffset }
  const bytes = await readBytes(image, header.indexOffset, header.indexSizeBytes)
  const checksum = crc32c(bytes)
  if (checksum !== header.indexChecksum) {
    throw new FormatError(
      place,
      `checksum is 0x${header.indexChecksum.toString(16)}, expected 0x${checksum.toString(16)}`,
    )
  }
  try {
    const chunkCount = header.imageSizeBytes / header.chunkSizeBytes
    return { header, ...parseCatalogueIndex(bytes, { ...header, chunkCount }) }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError)
      throw new FormatError(place, error.message)
    throw error
  }
}

function parseHeader(bytes: Uint8Array, sizeBytes: number): FileSetHeader {
  const header = readStructure(layout.HEADER, bytes, HEADER_PLACE)
  const magic = header.magic.toHex()
  requireSound(magic === layout.FILE_SET_MAGIC, `magic is ${magic}, expected ${layout.FILE_SET_MAGIC}`)
  const checksum = crc32c(bytes.subarray(0, layout.HEADER.checksum[0]))
  requireSound(
    header.checksum === checksum,
    `checksum is 0x${header.checksum.toString(16)}, expected 0x${checksum.toString(16)}`,
  )
  if (header.version !== layout.FILE_SET_VERSION) {
    const what = `file set of version ${header.version}`
    throw new UnmappedError(
      what,
      `Cannot read ${what}: this icecore reads version ${layout.FILE_SET_VERSION}`,
    )
  }
  const { chunkSizeBytes, imageSizeBytes, indexOffset, indexSizeBytes } = header
  const isChunkSize =
    chunkSizeBytes >= layout.CHUNK_SIZE_BYTES_MIN &&
    chunkSizeBytes <= layout.CHUNK_SIZE_BYTES_MAX &&
    Number.isInteger(Math.log2(chunkSizeBytes))
  requireSound(isChunkSize, `chunk size is ${chunkSizeBytes}, expected a power of two from 16 KiB to 4 MiB`)
  requireSound(
    imageSizeBytes <= sizeBytes,
    `the file set has ${imageSizeBytes} bytes, the image ${sizeBytes}`,
  )
  requireSound(imageSizeBytes % chunkSizeBytes === 0, `its ${imageSizeBytes} bytes are no whole chunks`)
  requireSound(
    indexSizeBytes <= layout.INDEX_SIZE_BYTES_MAX,
    `index has ${indexSizeBytes} bytes, limit is ${layout.INDEX_SIZE_BYTES_MAX}`,
  )
  requireSound(
    indexOffset >= layout.HEADER_SIZE_BYTES && indexOffset + indexSizeBytes <= imageSizeBytes,
    `index is ${indexOffset}+${indexSizeBytes}, the file set has ${imageSizeBytes} bytes`,
  )
  requireSound(header.binCount >= 1, 'it has no bins')
  return header
}

function requireSound(isSound: boolean, found: string): void {
  if (!isSound) throw new FormatError(HEADER_PLACE, found)
}
