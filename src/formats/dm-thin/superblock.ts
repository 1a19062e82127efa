import type { StructValues } from '../../bytes/struct.ts'
import { FormatError, UnmappedError, type StructurePlace } from '../format-error.ts'
import { readStructure } from '../read-structure.ts'
import { requireChecksum } from './block-checksum.ts'
import {
  DATA_BLOCK_SECTORS_MAX,
  DATA_BLOCK_SECTORS_STEP,
  METADATA_BLOCK_BYTES,
  METADATA_BLOCK_SECTORS,
  SUPERBLOCK,
  SUPERBLOCK_MAGIC,
  SUPERBLOCK_SALT,
  VERSION_MAX,
  VERSION_MIN,
} from './layout.ts'

export type ThinSuperblock = StructValues<typeof SUPERBLOCK>

/** The superblock, or the copy of it that a metadata snapshot has at its own block. */
export function parseThinSuperblock(block: Uint8Array, place: StructurePlace): ThinSuperblock {
  const superblock = readStructure(SUPERBLOCK, block, place)
  const fail = (found: string): never => {
    throw new FormatError(place, found)
  }
  if (superblock.magic !== SUPERBLOCK_MAGIC) {
    fail(`magic is ${superblock.magic}, expected ${SUPERBLOCK_MAGIC}`)
  }
  requireChecksum(block, SUPERBLOCK_SALT, place)
  const { version, incompatibleFeatures, metadataBlockSectors, dataBlockSectors } = superblock
  if (version < VERSION_MIN || version > VERSION_MAX) {
    fail(`version is ${version}, expected ${VERSION_MIN} or ${VERSION_MAX}`)
  }
  if (incompatibleFeatures !== 0) {
    throw new UnmappedError(
      'thin pool with unknown features',
      `Cannot map the thin pool: its incompatible features are 0x${incompatibleFeatures.toString(16)}, expected none`,
    )
  }
  const blockNumber = place.offsetBytes / METADATA_BLOCK_BYTES
  if (superblock.blockNumber !== blockNumber) {
    fail(`block number is ${superblock.blockNumber}, expected ${blockNumber}`)
  }
  if (metadataBlockSectors !== METADATA_BLOCK_SECTORS) {
    fail(`metadata block size is ${metadataBlockSectors} sectors, expected ${METADATA_BLOCK_SECTORS}`)
  }
  if (
    dataBlockSectors === 0 ||
    dataBlockSectors % DATA_BLOCK_SECTORS_STEP !== 0 ||
    dataBlockSectors > DATA_BLOCK_SECTORS_MAX
  ) {
    fail(
      `data block size is ${dataBlockSectors} sectors, expected a multiple of ` +
        `${DATA_BLOCK_SECTORS_STEP} up to ${DATA_BLOCK_SECTORS_MAX}`,
    )
  }
  return superblock
}
