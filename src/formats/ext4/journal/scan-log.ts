// Finds the transactions that were committed: the log is a ring of descriptor blocks, each followed by the blocks it
// describes, revoke blocks, and a commit block at the end of each transaction, all with its sequence number.
import { crc32BigEndian } from '../../../bytes/crc32-big-endian.ts'
import { NumberColumn } from '../../../extents/number-column.ts'
import { UnmappedError } from '../../format-error.ts'
import { commitFits, tailFits } from './block-checksums.ts'
import { parseTags } from './descriptor-tags.ts'
import type { JournalReader } from './journal-file.ts'
import { JOURNAL_MAGIC, JournalBlock } from './journal-layout.ts'
import type { JournalSuperblock } from './journal-superblock.ts'

export type OpenJournal = {
  readonly superblock: JournalSuperblock
  readonly reader: JournalReader
  /** Where its superblock lies on the volume. */
  readonly offsetBytes: number
}

/** What committed transactions hold, in the order in which they wrote it; a column for each fact. */
export type Log = {
  /** How many entries of the next five columns are of committed transactions. */
  readonly tagCount: number
  /** The block of the volume. */
  readonly targets: NumberColumn
  /** The block of the journal that holds its content. */
  readonly places: NumberColumn
  readonly sequences: NumberColumn
  readonly checksums: NumberColumn
  readonly escaped: NumberColumn
  readonly revokeCount: number
  readonly revokePlaces: NumberColumn
  readonly revokeSequences: NumberColumn
  readonly transactionCount: number
  /** The number of the transaction that would come next. */
  readonly nextSequence: number
  /** Why the last transaction that was found does not count, though it is whole; null when that is not so. */
  readonly objection: { readonly place: number; readonly found: string } | null
}

export async function scanLog(journal: OpenJournal): Promise<Log> {
  const scan = new LogScan(journal)
  await scan.run()
  return scan.result()
}

/** 16 GiB of blocks of 4 KiB, in 250 MB of memory. */
const TAG_COUNT_MAX = 2 ** 22
const CHECKSUM_KIND_CRC32 = 1
const CHECKSUM_SIZE_CRC32 = 4
const CRC32_START = 0xffffffff

class LogScan {
  readonly #journal: OpenJournal
  readonly #targets = new NumberColumn()
  readonly #places = new NumberColumn()
  readonly #sequences = new NumberColumn()
  readonly #checksums = new NumberColumn()
  readonly #escaped = new NumberColumn()
  readonly #revokePlaces = new NumberColumn()
  readonly #revokeSequences = new NumberColumn()
  #tagCount = 0
  #revokeCount = 0
  #transactionCount = 0
  #sequence: number
  #place: number
  #steps = 0
  #runningChecksum = CRC32_START
  #objection: Log['objection'] = null

  constructor(journal: OpenJournal) {
    this.#journal = journal
    this.#sequence = journal.superblock.firstSequence
    this.#place = journal.superblock.startBlock
  }

  /** Goes around the ring once at most; the log ends at the first block that does not belong to it. */
  async run(): Promise<void> {
    const { firstBlock, endBlock } = this.#journal.superblock
    while (this.#steps < endBlock - firstBlock) {
      const place = this.#place
      const block = await this.#journal.reader.read(place)
      if (block === null) return
      const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
      if (view.getUint32(0) !== JOURNAL_MAGIC || view.getUint32(8) !== this.#sequence) return
      this.#advance()
      const goesOn = await this.#take(view.getUint32(4), place, block)
      if (!goesOn) return
    }
  }

  result(): Log {
    return {
      tagCount: this.#tagCount,
      targets: this.#targets,
      places: this.#places,
      sequences: this.#sequences,
      checksums: this.#checksums,
      escaped: this.#escaped,
      revokeCount: this.#revokeCount,
      revokePlaces: this.#revokePlaces,
      revokeSequences: this.#revokeSequences,
      transactionCount: this.#transactionCount,
      nextSequence: this.#sequence,
      objection: this.#objection,
    }
  }

  async #take(kind: number, place: number, block: Uint8Array): Promise<boolean> {
    switch (kind) {
      case JournalBlock.Descriptor:
        return await this.#takeDescriptor(place, block)
      case JournalBlock.Revoke:
        this.#revokePlaces.push(place)
        this.#revokeSequences.push(this.#sequence)
        return true
      case JournalBlock.Commit:
        return this.#takeCommit(place, block)
      default:
        return false
    }
  }

  async #takeDescriptor(place: number, block: Uint8Array): Promise<boolean> {
    const { superblock, reader } = this.#journal
    if (!tailFits(superblock, block)) {
      return this.#object(place, 'checksum of a descriptor block does not fit')
    }
    const sumsUp = superblock.hasTransactionChecksums
    if (sumsUp) this.#runningChecksum = crc32BigEndian(block, this.#runningChecksum)
    for (const tag of parseTags(superblock, block)) {
      if (this.#targets.length === TAG_COUNT_MAX) {
        throw new UnmappedError(
          `journal with more than ${TAG_COUNT_MAX} blocks to replay`,
          `Cannot replay the journal: it holds more than ${TAG_COUNT_MAX} blocks`,
        )
      }
      this.#targets.push(tag.block)
      this.#places.push(this.#place)
      this.#sequences.push(this.#sequence)
      this.#checksums.push(tag.checksum)
      this.#escaped.push(tag.isEscaped ? 1 : 0)
      const content = sumsUp ? await reader.read(this.#place) : null
      if (content !== null) this.#runningChecksum = crc32BigEndian(content, this.#runningChecksum)
      this.#advance()
    }
    return true
  }

  #takeCommit(place: number, block: Uint8Array): boolean {
    const { superblock } = this.#journal
    if (!commitFits(superblock, block)) {
      return this.#object(place, 'checksum of a commit block does not fit')
    }
    if (superblock.hasTransactionChecksums && !this.#transactionFits(block)) {
      return this.#object(place, 'checksum of a transaction does not fit')
    }
    this.#runningChecksum = CRC32_START
    this.#tagCount = this.#targets.length
    this.#revokeCount = this.#revokePlaces.length
    this.#transactionCount += 1
    this.#sequence = (this.#sequence + 1) >>> 0
    return true
  }

  /** A commit has the checksum of its transaction, or none, when an older kernel wrote it. */
  #transactionFits(block: Uint8Array): boolean {
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
    const [kind, size, checksum] = [view.getUint8(0xc), view.getUint8(0xd), view.getUint32(0x10)]
    if (kind === 0 && size === 0 && checksum === 0) return true
    return kind === CHECKSUM_KIND_CRC32 && size === CHECKSUM_SIZE_CRC32 && checksum === this.#runningChecksum
  }

  #object(place: number, found: string): false {
    this.#objection = { place, found }
    return false
  }

  #advance(): void {
    const { firstBlock, endBlock } = this.#journal.superblock
    this.#steps += 1
    this.#place += 1
    if (this.#place >= endBlock) this.#place = firstBlock
  }
}
