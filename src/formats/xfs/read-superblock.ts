// Finds the superblock: the first sector of the volume, or, when that is damaged, the copy in another AG.
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import type { Finding } from '../finding.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { SUPERBLOCK_BYTES_MIN } from './superblock-layout.ts'
import { parseSuperblock, type XfsSuperblock } from './superblock.ts'
import { addFinding } from './volume.ts'

/** The largest sector of the format. */
const SECTOR_BYTES_MAX = 32 * 1024
/** How `mkfs.xfs` may have cut a volume whose first sector says nothing: so many AGs, or AGs of 1 TiB. */
const AG_COUNTS_TRIED = [4, 2, 3, 8, 16, 32]
const AG_BYTES_MAX = 2 ** 40

export type FoundSuperblock = {
  readonly superblock: XfsSuperblock
  /** False when the copy of another AG was taken: its counters are old, and perhaps more is. */
  readonly isPrimary: boolean
}

/**
 * Throws the FormatError of the first sector when no copy is better, and UnmappedError when the file system is of a
 * kind that is not mapped. Also refuses a file system that is larger than the image.
 */
export async function readSuperblock(image: FrozenImage, findings: Finding[]): Promise<FoundSuperblock> {
  const place = { structure: 'XFS superblock', offsetBytes: 0 }
  if (image.sizeBytes < SUPERBLOCK_BYTES_MIN)
    throw new FormatError(place, `the image ends at byte ${image.sizeBytes}`)
  const bytes = await sectorAt(image, 0)
  try {
    return { superblock: parsed(image, bytes, place), isPrimary: true }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const copy = await readCopy(image, bytes)
    if (copy === null) throw error
    addFinding(findings, error, `${error.found}; the copy at byte ${copy.offsetBytes} is used`)
    return { superblock: copy.superblock, isPrimary: false }
  }
}

async function readCopy(
  image: FrozenImage,
  primary: Uint8Array,
): Promise<{ superblock: XfsSuperblock; offsetBytes: number } | null> {
  for (const offsetBytes of copyOffsets(image.sizeBytes, primary)) {
    const place = { structure: 'XFS superblock of AG 1', offsetBytes }
    try {
      const superblock = parsed(image, await sectorAt(image, offsetBytes), place)
      // It must say itself that it lies here: a copy within a file of the volume is none.
      if (superblock.agCount > 1 && superblock.agBlocks * superblock.blockSizeBytes === offsetBytes) {
        return { superblock, offsetBytes }
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
  }
  return null
}

/** Where the second AG may begin: where the damaged superblock says, then where it mostly does. */
function copyOffsets(sizeBytes: number, primary: Uint8Array): readonly number[] {
  const view = new DataView(primary.buffer, primary.byteOffset, primary.byteLength)
  const said = view.getUint32(4) * view.getUint32(84)
  const blockSizes = [4096, 512, 1024, 2048, 8192, 16384, 32768, 65536]
  const guessed = AG_COUNTS_TRIED.flatMap((count) =>
    blockSizes.map((blockSize) => Math.ceil(Math.floor(sizeBytes / blockSize) / count) * blockSize),
  )
  const offsets = new Set([said, ...guessed, AG_BYTES_MAX])
  return [...offsets].filter((offset) => offset > 0 && offset + SUPERBLOCK_BYTES_MIN <= sizeBytes)
}

function sectorAt(image: FrozenImage, offset: number): Promise<Uint8Array> {
  return readBytes(image, offset, Math.min(SECTOR_BYTES_MAX, image.sizeBytes - offset))
}

function parsed(image: FrozenImage, bytes: Uint8Array, place: StructurePlace): XfsSuperblock {
  const superblock = parseSuperblock(bytes, place)
  if (superblock.sizeBytes > image.sizeBytes) {
    throw new FormatError(place, `it says ${superblock.sizeBytes} bytes, the image has ${image.sizeBytes}`)
  }
  return superblock
}
