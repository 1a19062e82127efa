// What the superblock says, checked so far that the readers of everything else can rely on its arithmetic.
import type { StructValues } from '../../bytes/struct.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { requireChecksum } from './checksum.ts'
import { parseFeatures, type XfsFeatures } from './features.ts'
import { requireGeometry } from './geometry.ts'
import { hex } from '../hex.ts'
import { readStructure } from '../read-structure.ts'
import { SUPERBLOCK, SUPERBLOCK_CHECKSUM_OFFSET, SUPERBLOCK_MAGIC } from './superblock-layout.ts'

export type RawSuperblock = StructValues<typeof SUPERBLOCK>

export type XfsSuperblock = {
  readonly features: XfsFeatures
  readonly label: string
  readonly uuid: Uint8Array
  /** What the structures of version 5 carry; the uuid itself unless that was changed later. */
  readonly metaUuid: Uint8Array
  readonly blockSizeBytes: number
  readonly sectorSizeBytes: number
  readonly inodeSizeBytes: number
  readonly directoryBlockSizeBytes: number
  /** Binary logarithms, for the numbers that are made of bits. */
  readonly blockLog: number
  readonly inodesPerBlockLog: number
  readonly agBlockLog: number
  readonly inodesPerBlock: number
  /** Of the data part, which begins at byte 0. */
  readonly blockCount: number
  readonly sizeBytes: number
  readonly agBlocks: number
  readonly agCount: number
  readonly rootInode: number
  /** Inodes that are no files: quotas, the maps of the realtime part. */
  readonly hiddenInodes: ReadonlySet<number>
  /** In blocks; 0 when there is none. */
  readonly inodeAlignmentBlocks: number
  readonly sparseInodeAlignmentBlocks: number
  readonly log: XfsLogPlace
  /** Null without a realtime part, which lies on another device. */
  readonly realtime: { readonly blockCount: number; readonly extentBlocks: number } | null
  readonly counters: {
    readonly inodes: number
    readonly freeInodes: number
    readonly freeBlocks: number
  }
}

export type XfsLogPlace = {
  /** As a number of AG and block; null when the log lies on another device. */
  readonly startFsBlock: number | null
  readonly blockCount: number
  readonly sectorSizeBytes: number
  /** 0 or 1 when none. */
  readonly stripeUnitBytes: number
}

/** Reads the fields alone. Throws FormatError for another magic. */
function parseRawSuperblock(bytes: Uint8Array, place: StructurePlace): RawSuperblock {
  const magic = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
  if (magic !== SUPERBLOCK_MAGIC) {
    throw new FormatError(place, `magic is ${hex(magic)}, expected ${hex(SUPERBLOCK_MAGIC)}`)
  }
  return readStructure(SUPERBLOCK, bytes, place)
}

/**
 * `bytes` is the sector of the superblock, or more. Throws FormatError when it is none or contradicts itself,
 * UnmappedError when it is of a kind that is not mapped.
 */
export function parseSuperblock(bytes: Uint8Array, place: StructurePlace): XfsSuperblock {
  const raw = parseRawSuperblock(bytes, place)
  requireGeometry(raw, place)
  // Copies keep the mark of the time when they were made.
  if (raw.inProgress !== 0 && place.offsetBytes === 0) {
    throw new FormatError(place, 'it was being made when it was written last')
  }
  if ((raw.versionNumber & 0xf) === 5) {
    if (raw.sectorSize > bytes.byteLength) throw new FormatError(place, 'its sector ends beyond the image')
    requireChecksum(bytes.subarray(0, raw.sectorSize), SUPERBLOCK_CHECKSUM_OFFSET, place)
  }
  // An old kernel wrote the second word of version 4 beside its place; both were kept equal ever since.
  const features = parseFeatures({ ...raw, features2: raw.features2 | raw.badFeatures2 }, place)
  return {
    features,
    label: new TextDecoder().decode(raw.label).replace(/\0.*$/su, ''),
    uuid: raw.uuid,
    metaUuid: features.metaUuid ? raw.metaUuid : raw.uuid,
    blockSizeBytes: raw.blockSize,
    sectorSizeBytes: raw.sectorSize,
    inodeSizeBytes: raw.inodeSize,
    directoryBlockSizeBytes: raw.blockSize * 2 ** raw.directoryBlockLog,
    blockLog: raw.blockLog,
    inodesPerBlockLog: raw.inodesPerBlockLog,
    agBlockLog: raw.agBlockLog,
    inodesPerBlock: raw.inodesPerBlock,
    blockCount: raw.dataBlocks,
    sizeBytes: raw.dataBlocks * raw.blockSize,
    agBlocks: raw.agBlocks,
    agCount: raw.agCount,
    rootInode: raw.rootInodeHigh * 2 ** 32 + raw.rootInodeLow,
    hiddenInodes: hiddenInodes(raw),
    inodeAlignmentBlocks: features.inodeAlignment ? raw.inodeAlignment : 0,
    sparseInodeAlignmentBlocks: features.sparseInodes ? raw.sparseInodeAlignment : 0,
    log: {
      startFsBlock: raw.logStart === 0 ? null : raw.logStart,
      blockCount: raw.logBlocks,
      sectorSizeBytes: raw.logSectorSize === 0 ? 512 : raw.logSectorSize,
      stripeUnitBytes: raw.logStripeUnit,
    },
    realtime:
      raw.realtimeBlocks === 0
        ? null
        : { blockCount: raw.realtimeBlocks, extentBlocks: raw.realtimeExtentBlocks },
    counters: { inodes: raw.inodes, freeInodes: raw.freeInodes, freeBlocks: raw.freeBlocks },
  }
}

/** None is 0 or all ones. */
function hiddenInodes(raw: RawSuperblock): ReadonlySet<number> {
  const numbers = new Set<number>()
  for (const bytes of [raw.realtimeInodes, raw.quotaInodes, raw.projectQuotaInode]) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let offset = 0; offset < bytes.byteLength; offset += 8) {
      const number = Number(view.getBigUint64(offset))
      if (number > 0 && Number.isSafeInteger(number)) numbers.add(number)
    }
  }
  return numbers
}
