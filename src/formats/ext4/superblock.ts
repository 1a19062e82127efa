// The superblock of ext2, ext3 and ext4: the shape of everything else.
import { hex } from '../hex.ts'
import { readStruct, type StructValues } from '../../bytes/struct.ts'
import { FormatError, UnmappedError, type StructurePlace } from '../format-error.ts'
import { ext4Checksum } from './checksum.ts'
import { parseFeatures, type Features } from './features.ts'
import {
  SUPERBLOCK,
  SUPERBLOCK_CHECKED_BYTES,
  SUPERBLOCK_MAGIC,
  SUPERBLOCK_SIZE,
} from './superblock-layout.ts'

export type Superblock = {
  /** As tools name it, by its features: only ext4 knows all of them. */
  readonly format: 'ext2' | 'ext3' | 'ext4'
  readonly features: Features
  readonly label: string
  readonly uuid: Uint8Array
  /** In the usual form, 8-4-4-4-12. */
  readonly uuidText: string

  readonly blockSizeBytes: number
  readonly blockCount: number
  /** The number of group 0's first block: 1 when blocks and clusters are 1 KiB, else 0. */
  readonly firstDataBlock: number
  readonly blocksPerGroup: number
  /** What a bit of a block bitmap stands for: 1 but for bigalloc. */
  readonly blocksPerCluster: number
  readonly clustersPerGroup: number
  readonly groupCount: number
  /** What it says is free, in blocks; unmounted uncleanly, it may be wrong. */
  readonly freeBlockCount: number

  readonly inodeCount: number
  readonly freeInodeCount: number
  readonly inodesPerGroup: number
  readonly inodeSizeBytes: number
  /** The first that is not reserved. */
  readonly firstInode: number

  readonly descriptorSizeBytes: number
  /** The first block of descriptors that lies in its own meta block group; only with that feature. */
  readonly firstMetaBlockGroup: number
  /** Kept free behind the descriptors, for a file system that grows; only with resizeInode. */
  readonly reservedDescriptorBlocks: number
  /** Groups whose bitmaps and inode tables lie together: 1 without flexibleBlockGroups. */
  readonly groupsPerFlex: number
  /** The two groups with backups under sparseSuper2; 0 for none. */
  readonly backupGroups: readonly [number, number]
  /** Of the group that this copy lies in. */
  readonly groupNumber: number

  /** 0 for none. */
  readonly journalInode: number
  /** The device number of an external journal; 0 for none. */
  readonly journalDevice: number
  readonly journalUuid: Uint8Array
  /** The 60 bytes of i_block of the journal's inode, then its size in two words; null when there is no copy. */
  readonly journalBackup: Uint8Array | null
  /** The first inode of the list of those deleted while open; 0 for none. */
  readonly lastOrphan: number
  readonly orphanFileInode: number

  /** Bit 0: unmounted cleanly. Bit 1: errors were found. Bit 2: orphans are being recovered. */
  readonly state: number
  readonly errorCount: number

  /** What the checksums of other structures start with. */
  readonly checksumSeed: number
  readonly hashSeed: Uint8Array
  readonly defaultHashVersion: number
  /** Bit 0: names are hashed as signed characters. Bit 1: as unsigned ones. */
  readonly flags: number
  /** Of names, with casefold: 1 is UTF-8 12.1. */
  readonly encoding: number
  /** Bit 0: names that are not valid are refused. */
  readonly encodingFlags: number
  /** 0 for none. */
  readonly mmpBlock: number
  readonly quotaInodes: { readonly user: number; readonly group: number; readonly project: number }
}

type Fields = StructValues<typeof SUPERBLOCK>

const TWO_TO_32 = 2 ** 32
const CHECKSUM_KIND_CRC32C = 1
const JOURNAL_BACKUP_KIND_BLOCKS = 1
/** 64 KiB. */
const LOG_BLOCK_SIZE_MAX = 6
const DESCRIPTOR_SIZE = 32
const DESCRIPTOR_SIZE_64BIT = 64
/** Of revision 0, which has no fields for them. */
const OLD_INODE_SIZE = 128
const OLD_FIRST_INODE = 11

/**
 * The superblock in the 1024 bytes at `place`. Throws FormatError when it is damaged, and UnmappedError when it has
 * features that only a reader who knows them may read.
 */
export function parseSuperblock(bytes: Uint8Array, place: StructurePlace): Superblock {
  if (bytes.byteLength < SUPERBLOCK_SIZE) {
    throw new FormatError(place, `it has ${bytes.byteLength} bytes, expected ${SUPERBLOCK_SIZE}`)
  }
  const fields = readStruct(SUPERBLOCK, bytes)
  if (fields.magic !== SUPERBLOCK_MAGIC) {
    throw new FormatError(place, `magic is ${hex(fields.magic)}, expected ${hex(SUPERBLOCK_MAGIC)}`)
  }
  const features = featuresOf(fields)
  checkChecksum(bytes, { fields, features, place })
  refuseUnmapped(fields, features)
  return {
    features,
    ...identityOf(fields, features),
    ...geometryOf(fields, { features, place }),
    ...journalOf(fields, features),
    groupNumber: fields.groupNumber,
    state: fields.state,
    errorCount: fields.errorCount,
    hashSeed: fields.hashSeed,
    defaultHashVersion: fields.defaultHashVersion,
    flags: fields.flags,
    encoding: fields.encoding,
    encodingFlags: fields.encodingFlags,
    mmpBlock: features.multipleMountProtection ? number64(fields.mmpBlock, { features, place }) : 0,
    quotaInodes: {
      user: fields.userQuotaInode,
      group: fields.groupQuotaInode,
      project: fields.projectQuotaInode,
    },
  }
}

type Context = { readonly features: Features; readonly place: StructurePlace }

function featuresOf(fields: Fields): Features {
  // Revision 0 has no feature words; what lies there is nothing.
  if (fields.revision === 0) {
    return parseFeatures({ compatible: 0, incompatible: 0, readOnlyCompatible: 0 })
  }
  return parseFeatures(fields)
}

function checkChecksum(
  bytes: Uint8Array,
  { fields, features, place }: Context & { readonly fields: Fields },
): void {
  if (!features.metadataChecksums) return
  if (fields.checksumKind !== CHECKSUM_KIND_CRC32C) {
    throw new FormatError(
      place,
      `kind of checksum is ${fields.checksumKind}, expected ${CHECKSUM_KIND_CRC32C}`,
    )
  }
  const expected = ext4Checksum(bytes.subarray(0, SUPERBLOCK_CHECKED_BYTES))
  if (fields.checksum !== expected) {
    throw new FormatError(place, `checksum is ${hex(fields.checksum)}, expected ${hex(expected)}`)
  }
}

function refuseUnmapped(fields: Fields, features: Features): void {
  const [unknown] = features.unknownIncompatible
  if (unknown !== undefined) {
    throw new UnmappedError(
      `ext4 with feature ${unknown}`,
      `Cannot map ext4 file system: it has feature ${unknown}, which is not known`,
    )
  }
  if (fields.revision > 1) {
    throw new UnmappedError(
      `ext4 of revision ${fields.revision}`,
      `Cannot map ext4 file system: its revision is ${fields.revision}, expected 0 or 1`,
    )
  }
}

function identityOf(
  fields: Fields,
  features: Features,
): Pick<Superblock, 'format' | 'label' | 'uuid' | 'uuidText' | 'checksumSeed'> {
  const plain = features.hasJournal ? 'ext3' : 'ext2'
  const end = fields.label.indexOf(0)
  return {
    format: features.beyondExt3 ? 'ext4' : plain,
    label: new TextDecoder().decode(end === -1 ? fields.label : fields.label.subarray(0, end)),
    uuid: fields.uuid,
    uuidText: fields.uuid.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    checksumSeed: features.checksumSeed ? fields.checksumSeed : ext4Checksum(fields.uuid),
  }
}

function journalOf(
  fields: Fields,
  features: Features,
): Pick<
  Superblock,
  'journalInode' | 'journalDevice' | 'journalUuid' | 'journalBackup' | 'lastOrphan' | 'orphanFileInode'
> {
  return {
    journalInode: features.hasJournal ? fields.journalInode : 0,
    journalDevice: features.hasJournal ? fields.journalDevice : 0,
    journalUuid: fields.journalUuid,
    journalBackup: fields.journalBackupKind === JOURNAL_BACKUP_KIND_BLOCKS ? fields.journalBackup : null,
    lastOrphan: fields.lastOrphan,
    orphanFileInode: features.orphanFile ? fields.orphanFileInode : 0,
  }
}

type Geometry = Pick<
  Superblock,
  | 'blockSizeBytes'
  | 'blockCount'
  | 'firstDataBlock'
  | 'blocksPerGroup'
  | 'blocksPerCluster'
  | 'clustersPerGroup'
  | 'groupCount'
  | 'freeBlockCount'
  | 'inodeCount'
  | 'freeInodeCount'
  | 'inodesPerGroup'
  | 'inodeSizeBytes'
  | 'firstInode'
  | 'descriptorSizeBytes'
  | 'firstMetaBlockGroup'
  | 'reservedDescriptorBlocks'
  | 'groupsPerFlex'
  | 'backupGroups'
>

function geometryOf(fields: Fields, context: Context): Geometry {
  const { features, place } = context
  const { blocksPerGroup, inodesPerGroup, inodeCount, firstDataBlock } = fields
  const sizes = sizesOf(fields, context)
  const high = features.bits64 ? TWO_TO_32 : 0
  const blockCount = fields.blockCountLow + fields.blockCountHigh * high
  if (blockCount <= firstDataBlock || !Number.isSafeInteger(blockCount * sizes.blockSizeBytes)) {
    throw new FormatError(place, `it has ${blockCount} blocks of ${sizes.blockSizeBytes} bytes`)
  }
  const groupCount = Math.ceil((blockCount - firstDataBlock) / blocksPerGroup)
  if (inodeCount !== groupCount * inodesPerGroup) {
    throw new FormatError(
      place,
      `it has ${inodeCount} inodes, expected ${inodesPerGroup} in each of ${groupCount} groups`,
    )
  }
  const { firstMetaBlockGroup, logGroupsPerFlex } = fields
  const descriptorBlocks = Math.ceil((groupCount * sizes.descriptorSizeBytes) / sizes.blockSizeBytes)
  require(place, !features.metaBlockGroups ||
    firstMetaBlockGroup <=
      descriptorBlocks, `first meta block group is ${firstMetaBlockGroup}, expected ${descriptorBlocks} at most`)
  const backups = new DataView(fields.backupGroups.buffer)
  return {
    ...sizes,
    blockCount,
    firstDataBlock,
    blocksPerGroup,
    groupCount,
    freeBlockCount: fields.freeBlockCountLow + fields.freeBlockCountHigh * high,
    inodeCount,
    freeInodeCount: fields.freeInodeCount,
    inodesPerGroup,
    firstInode: fields.revision === 0 ? OLD_FIRST_INODE : fields.firstInode,
    firstMetaBlockGroup: features.metaBlockGroups ? firstMetaBlockGroup : 0,
    reservedDescriptorBlocks: features.resizeInode ? fields.reservedDescriptorBlocks : 0,
    groupsPerFlex: features.flexibleBlockGroups && logGroupsPerFlex < 32 ? 2 ** logGroupsPerFlex : 1,
    backupGroups: [backups.getUint32(0, true), backups.getUint32(4, true)],
  }
}

type Sizes = Pick<
  Superblock,
  'blockSizeBytes' | 'blocksPerCluster' | 'clustersPerGroup' | 'inodeSizeBytes' | 'descriptorSizeBytes'
>

function sizesOf(fields: Fields, { features, place }: Context): Sizes {
  const { logBlockSize, logClusterSize, blocksPerGroup, inodesPerGroup } = fields
  require(place, logBlockSize <= LOG_BLOCK_SIZE_MAX, `logarithm of the block size is ${logBlockSize}`)
  const blockSizeBytes = 1024 << logBlockSize
  const logRatio = features.bigalloc ? logClusterSize - logBlockSize : 0
  require(place, logRatio >= 0 && logRatio < 24, `logarithm of the cluster size is ${logClusterSize}`)
  const blocksPerCluster = 1 << logRatio
  const clustersPerGroup = blocksPerGroup / blocksPerCluster
  // One block of bits describes a group; a group is whole bytes of bits.
  require(place, clustersPerGroup >= 8 &&
    clustersPerGroup <= 8 * blockSizeBytes &&
    Number.isSafeInteger(clustersPerGroup), `groups have ${blocksPerGroup} blocks`)
  require(place, inodesPerGroup >= 1 &&
    inodesPerGroup <= 8 * blockSizeBytes, `groups have ${inodesPerGroup} inodes`)
  // What lies before the superblock is a block of its own only when it fills one.
  const expectedFirst = blockSizeBytes === 1024 && blocksPerCluster === 1 ? 1 : 0
  require(place, fields.firstDataBlock === expectedFirst, `first data block is ${fields.firstDataBlock}`)
  const inodeSizeBytes = fields.revision === 0 ? OLD_INODE_SIZE : fields.inodeSize
  require(place, isPowerOfTwo(inodeSizeBytes) &&
    inodeSizeBytes >= OLD_INODE_SIZE &&
    inodeSizeBytes <= blockSizeBytes, `inodes have ${inodeSizeBytes} bytes`)
  const descriptorSizeBytes = features.bits64 ? fields.descriptorSize : DESCRIPTOR_SIZE
  require(place, !features.bits64 ||
    (isPowerOfTwo(descriptorSizeBytes) &&
      descriptorSizeBytes >= DESCRIPTOR_SIZE_64BIT &&
      descriptorSizeBytes <= 1024), `group descriptors have ${descriptorSizeBytes} bytes`)
  return { blockSizeBytes, blocksPerCluster, clustersPerGroup, inodeSizeBytes, descriptorSizeBytes }
}

function require(place: StructurePlace, holds: boolean, found: string): void {
  if (!holds) throw new FormatError(place, found)
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0
}

function number64(bytes: Uint8Array, { place }: Context): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const value = view.getUint32(0, true) + view.getUint32(4, true) * TWO_TO_32
  require(place, Number.isSafeInteger(value), `block of the multiple-mount protection is ${value}`)
  return value
}
