import { hex } from '../../hex.ts'
import { readStruct } from '../../../bytes/struct.ts'
import { FormatError, UnmappedError, type StructurePlace } from '../../format-error.ts'
import { ext4Checksum } from '../checksum.ts'
import {
  JOURNAL_MAGIC,
  JOURNAL_SUPERBLOCK,
  JOURNAL_SUPERBLOCK_SIZE,
  JournalBlock,
  JournalFeature,
} from './journal-layout.ts'

export type JournalSuperblock = {
  readonly blockSizeBytes: number
  /** Blocks of the journal, this one included. */
  readonly blockCount: number
  /** The log is a ring of the blocks from `firstBlock` up to but not including `endBlock`. */
  readonly firstBlock: number
  readonly endBlock: number
  /** Where the oldest transaction that is still needed begins; 0 when there is none. */
  readonly startBlock: number
  readonly firstSequence: number
  /** Why the kernel gave up on the journal; 0 when it did not. */
  readonly errorNumber: number
  readonly hasTransactionChecksums: boolean
  readonly has64BitNumbers: boolean
  /** 0 for none; 2 and 3 cover every block, in tags of different sizes. */
  readonly checksumVersion: 0 | 2 | 3
  readonly checksumSeed: number
  /** Blocks behind the ring, for changes that are smaller than blocks; 0 without that feature. */
  readonly fastCommitBlockCount: number
}

const CHECKSUM_KIND_CRC32C = 4
const KNOWN_INCOMPATIBLE = 0x3f
const FAST_COMMIT_BLOCKS_DEFAULT = 256
/** The kernel makes no ring that is shorter for the sake of fast commits. */
const RING_BLOCKS_MIN = 1024

/** Throws FormatError when it is damaged, UnmappedError when it has features that are not known. */
export function parseJournalSuperblock(bytes: Uint8Array, place: StructurePlace): JournalSuperblock {
  if (bytes.byteLength < JOURNAL_SUPERBLOCK_SIZE) {
    throw new FormatError(place, `it has ${bytes.byteLength} bytes, expected ${JOURNAL_SUPERBLOCK_SIZE}`)
  }
  const fields = readStruct(JOURNAL_SUPERBLOCK, bytes)
  if (fields.magic !== JOURNAL_MAGIC) {
    throw new FormatError(place, `magic is ${hex(fields.magic)}, expected ${hex(JOURNAL_MAGIC)}`)
  }
  const isOld = fields.kind === JournalBlock.SuperblockVersion1
  if (!isOld && fields.kind !== JournalBlock.SuperblockVersion2) {
    throw new FormatError(place, `kind of block is ${fields.kind}, expected 3 or 4`)
  }
  const incompatible = isOld ? 0 : fields.incompatible
  refuseUnknown(incompatible)
  const hasTransactionChecksums = !isOld && (fields.compatible & JournalFeature.Checksum) !== 0
  const checksumVersion = checksumVersionOf(incompatible, place)
  if (hasTransactionChecksums && checksumVersion !== 0) {
    throw new FormatError(place, `it has checksums of version 1 and of version ${checksumVersion}`)
  }
  if (checksumVersion !== 0) checkChecksum(bytes, fields, place)
  const { blockSizeBytes, blockCount, firstBlock, startBlock } = fields
  if (firstBlock < 1 || firstBlock >= blockCount) {
    throw new FormatError(place, `its log begins at block ${firstBlock} of ${blockCount}`)
  }
  const ring = ringOf(fields, incompatible)
  if (startBlock !== 0 && (startBlock < firstBlock || startBlock >= ring.endBlock)) {
    throw new FormatError(
      place,
      `the oldest transaction is at block ${startBlock}, expected ${firstBlock} to ${ring.endBlock - 1}`,
    )
  }
  return {
    blockSizeBytes,
    blockCount,
    firstBlock,
    ...ring,
    startBlock,
    firstSequence: fields.firstSequence,
    errorNumber: fields.errorNumber,
    hasTransactionChecksums,
    has64BitNumbers: (incompatible & JournalFeature.Bits64) !== 0,
    checksumVersion,
    checksumSeed: ext4Checksum(fields.uuid),
  }
}

function refuseUnknown(incompatible: number): void {
  const unknown = (incompatible & ~KNOWN_INCOMPATIBLE) >>> 0
  if (unknown === 0) return
  const what = `journal with features ${hex(unknown)}`
  throw new UnmappedError(what, `Cannot read the journal: it has features ${hex(unknown)}, not known`)
}

function checksumVersionOf(incompatible: number, place: StructurePlace): 0 | 2 | 3 {
  const is2 = (incompatible & JournalFeature.ChecksumVersion2) !== 0
  const is3 = (incompatible & JournalFeature.ChecksumVersion3) !== 0
  if (is2 && is3) throw new FormatError(place, 'it has checksums of version 2 and of version 3')
  if (is3) return 3
  return is2 ? 2 : 0
}

function checkChecksum(
  bytes: Uint8Array,
  fields: { readonly checksumKind: number; readonly checksum: number },
  place: StructurePlace,
): void {
  if (fields.checksumKind !== CHECKSUM_KIND_CRC32C) {
    throw new FormatError(
      place,
      `kind of checksum is ${fields.checksumKind}, expected ${CHECKSUM_KIND_CRC32C}`,
    )
  }
  const [offset] = JOURNAL_SUPERBLOCK.checksum
  const zeroed = bytes.slice(0, JOURNAL_SUPERBLOCK_SIZE).fill(0, offset, offset + 4)
  const expected = ext4Checksum(zeroed)
  if (fields.checksum !== expected) {
    throw new FormatError(place, `checksum is ${hex(fields.checksum)}, expected ${hex(expected)}`)
  }
}

function ringOf(
  fields: { readonly blockCount: number; readonly fastCommitBlockCount: number },
  incompatible: number,
): Pick<JournalSuperblock, 'endBlock' | 'fastCommitBlockCount'> {
  const { blockCount } = fields
  if ((incompatible & JournalFeature.FastCommit) === 0) {
    return { endBlock: blockCount, fastCommitBlockCount: 0 }
  }
  const wanted = fields.fastCommitBlockCount === 0 ? FAST_COMMIT_BLOCKS_DEFAULT : fields.fastCommitBlockCount
  const fastCommitBlockCount = blockCount - wanted >= RING_BLOCKS_MIN ? wanted : 0
  return { endBlock: blockCount - fastCommitBlockCount, fastCommitBlockCount }
}
