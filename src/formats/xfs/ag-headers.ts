// What an allocation group says of itself: its free space (AGF), its inodes (AGI), and the few blocks that are kept
// for the growth of its own trees (AGFL).
import { isSameBytes } from '../../bytes/same-bytes.ts'
import { readStruct, type StructValues } from '../../bytes/struct.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { agBlockCount, agOffsetBytes } from './addresses.ts'
import {
  AGF,
  AGF_CHECKSUM_OFFSET,
  AGF_MAGIC,
  AGFL,
  AGFL_CHECKSUM_OFFSET,
  AGFL_HEADER_BYTES,
  AGFL_MAGIC,
  AGI,
  AGI_CHECKSUM_OFFSET,
  AGI_MAGIC,
} from './ag-header-layout.ts'
import { requireChecksum } from './checksum.ts'
import { hex } from '../hex.ts'
import type { XfsSuperblock } from './superblock.ts'
import type { XfsVolume } from './volume.ts'

export type AgFree = StructValues<typeof AGF> & { readonly place: StructurePlace }
export type AgInodes = StructValues<typeof AGI> & { readonly place: StructurePlace }

const HEADER_SECTOR = { agf: 1, agi: 2, agfl: 3 } as const
/** Superblock, AGF, AGI and AGFL. */
const HEADER_SECTOR_COUNT = 4

/** The first block of an AG that is not a header. */
export function firstBlockAfterHeaders(superblock: XfsSuperblock): number {
  return Math.ceil((HEADER_SECTOR_COUNT * superblock.sectorSizeBytes) / superblock.blockSizeBytes)
}

/** Throws FormatError unless the AGF is sound and is that of this AG. */
export async function readAgFree(volume: XfsVolume, agNumber: number): Promise<AgFree> {
  const { bytes, place } = await headerSector(volume, agNumber, 'agf')
  const header = readStruct(AGF, bytes)
  const { superblock } = volume
  requireMagic(header.magic, AGF_MAGIC, place)
  if (superblock.features.version === 5) {
    requireChecksum(bytes, AGF_CHECKSUM_OFFSET, place)
    requireUuid(header.uuid, superblock, place)
  }
  requirePlaceAndLength(header, { superblock, agNumber, place })
  const { length, freeBlocks, longestFree, freeListCount } = header
  if (freeBlocks > length || longestFree > freeBlocks) {
    throw new FormatError(place, `it says ${freeBlocks} free blocks, ${longestFree} at once, of ${length}`)
  }
  const listMax = freeListMax(superblock)
  if (header.freeListFirst >= listMax || header.freeListLast >= listMax || freeListCount > listMax) {
    throw new FormatError(
      place,
      `its free list is ${header.freeListFirst} to ${header.freeListLast}, ${freeListCount} blocks of ${listMax}`,
    )
  }
  return { ...header, place }
}

/** The roots of the inode B-trees. Throws FormatError unless the AGI is sound and is that of this AG. */
export async function readAgInodes(volume: XfsVolume, agNumber: number): Promise<AgInodes> {
  const { bytes, place } = await headerSector(volume, agNumber, 'agi')
  const header = readStruct(AGI, bytes)
  const { superblock } = volume
  requireMagic(header.magic, AGI_MAGIC, place)
  if (superblock.features.version === 5) {
    requireChecksum(bytes, AGI_CHECKSUM_OFFSET, place)
    requireUuid(header.uuid, superblock, place)
  }
  requirePlaceAndLength(header, { superblock, agNumber, place })
  if (header.freeInodes > header.inodes || header.inodes > header.length * superblock.inodesPerBlock) {
    throw new FormatError(place, `it says ${header.inodes} inodes, ${header.freeInodes} of them free`)
  }
  return { ...header, place }
}

/**
 * The blocks of the AG's free list, which no tree knows and which are in use to everybody else.
 * Throws FormatError unless the list is sound.
 */
export async function readAgFreeList(volume: XfsVolume, header: AgFree): Promise<readonly number[]> {
  const { superblock } = volume
  const { bytes, place } = await headerSector(volume, header.agNumber, 'agfl')
  const isVersion5 = superblock.features.version === 5
  if (isVersion5) {
    const list = readStruct(AGFL, bytes)
    requireMagic(list.magic, AGFL_MAGIC, place)
    requireChecksum(bytes, AGFL_CHECKSUM_OFFSET, place)
    requireUuid(list.uuid, superblock, place)
    if (list.agNumber !== header.agNumber) {
      throw new FormatError(place, `it is that of AG ${list.agNumber}`)
    }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const listMax = freeListLength(header, superblock)
  const blocks: number[] = []
  for (let index = 0; index < header.freeListCount; index += 1) {
    const slot = (header.freeListFirst + index) % listMax
    const block = view.getUint32((isVersion5 ? AGFL_HEADER_BYTES : 0) + slot * 4)
    if (block < firstBlockAfterHeaders(superblock) || block >= agBlockCount(superblock, header.agNumber)) {
      throw new FormatError(place, `it holds block ${block}, which is not in the AG`)
    }
    blocks.push(block)
  }
  return blocks
}

/**
 * Of how many slots the list is a ring. Kernels before 4.5 left out the last one on machines that align the header
 * to 8 bytes; it shows when the list goes around the end.
 */
function freeListLength(header: AgFree, superblock: XfsSuperblock): number {
  const { freeListFirst: first, freeListLast: last, freeListCount: count } = header
  const listMax = freeListMax(superblock)
  const lengths = superblock.features.version === 5 ? [listMax, listMax - 1] : [listMax]
  const length = lengths.find((slots) => count === 0 || (last - first + slots) % slots === count - 1)
  if (length !== undefined) return length
  throw new FormatError(header.place, `its free list is ${first} to ${last}, which are not ${count} blocks`)
}

function freeListMax({ features, sectorSizeBytes }: XfsSuperblock): number {
  return Math.floor((sectorSizeBytes - (features.version === 5 ? AGFL_HEADER_BYTES : 0)) / 4)
}

async function headerSector(
  { image, superblock }: XfsVolume,
  agNumber: number,
  name: keyof typeof HEADER_SECTOR,
): Promise<{ bytes: Uint8Array; place: StructurePlace }> {
  const { sectorSizeBytes } = superblock
  const offsetBytes = agOffsetBytes(superblock, agNumber) + HEADER_SECTOR[name] * sectorSizeBytes
  const place = { structure: `XFS ${name.toUpperCase()} ${agNumber}`, offsetBytes }
  return { bytes: await readBytes(image, offsetBytes, sectorSizeBytes), place }
}

function requireMagic(found: number, expected: number, place: StructurePlace): void {
  if (found !== expected) throw new FormatError(place, `magic is ${hex(found)}, expected ${hex(expected)}`)
}

function requireUuid(uuid: Uint8Array, { metaUuid }: XfsSuperblock, place: StructurePlace): void {
  if (!isSameBytes(uuid, metaUuid)) {
    throw new FormatError(place, 'its uuid is that of another file system')
  }
}

function requirePlaceAndLength(
  header: { readonly version: number; readonly agNumber: number; readonly length: number },
  at: { readonly superblock: XfsSuperblock; readonly agNumber: number; readonly place: StructurePlace },
): void {
  const { superblock, agNumber, place } = at
  if (header.version !== 1) throw new FormatError(place, `version is ${header.version}, expected 1`)
  if (header.agNumber !== agNumber) throw new FormatError(place, `it is that of AG ${header.agNumber}`)
  const length = agBlockCount(superblock, agNumber)
  if (header.length !== length) throw new FormatError(place, `length is ${header.length}, expected ${length}`)
}
