// Finds the fast commits that follow the last whole transaction: small changes to files, written behind the ring of
// the journal. Known from the kernel's "ext4 Data Structures and Algorithms", section "Fast commits".
import { UnmappedError } from '../../format-error.ts'
import { hex } from '../../hex.ts'
import { ext4Checksum } from '../checksum.ts'
import type { OpenJournal } from '../journal/scan-log.ts'
import {
  FastCommitTag,
  isLengthKnown,
  parseRecord,
  RECORD_HEADER_SIZE,
  type FastCommitRecord,
} from './fast-commit-records.ts'

/** More than the kernel writes: it makes room for 256 blocks unless told otherwise. */
const RECORD_COUNT_MAX = 500_000
const RECORD_BYTES_MAX = 32 * 1024 * 1024

/** What one fast commit changes, in the order in which it is to be done again. */
export type FastCommit = readonly FastCommitRecord[]

type FastCommits = {
  readonly commits: readonly FastCommit[]
  /** Why there are none though one begins; null when that is not so. What breaks off later never was whole. */
  readonly objection: { readonly place: number; readonly found: string } | null
}

type FastCommitTerms = {
  /** The number of the transaction that they would have become. */
  readonly transaction: number
  readonly inodeSizeBytes: number
}

/**
 * The fast commits of transaction `transaction`: up to the last tail whose checksum fits, as the kernel takes them.
 * Throws UnmappedError when there are more than anybody writes.
 */
export async function scanFastCommits(journal: OpenJournal, terms: FastCommitTerms): Promise<FastCommits> {
  const { superblock, reader } = journal
  const scan = new FastCommitScan(terms)
  // The kernel leaves the first block behind the ring empty.
  const first = superblock.endBlock + 1
  const end = superblock.fastCommitBlockCount === 0 ? first : superblock.blockCount
  for (let place = first; place < end; place += 1) {
    const block = await reader.read(place)
    const goesOn = block !== null && scan.take(block, { place, offsetBytes: reader.offsetOf(place) })
    if (!goesOn) break
  }
  return scan.result()
}

class FastCommitScan {
  readonly #terms: FastCommitTerms
  readonly #commits: FastCommit[] = []
  #open: FastCommitRecord[] = []
  #checksum = 0
  #recordCount = 0
  #recordBytes = 0
  #hasHead = false
  #place = 0
  #objection: FastCommits['objection'] = null

  constructor(terms: FastCommitTerms) {
    this.#terms = terms
  }

  /** Whether the next block may go on with what this one says. Records do not go from block to block. */
  take(
    block: Uint8Array,
    { place, offsetBytes }: { readonly place: number; readonly offsetBytes: number },
  ): boolean {
    this.#place = place
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
    let at = 0
    while (at + RECORD_HEADER_SIZE <= block.byteLength) {
      const tag = view.getUint16(at, true)
      const start = at + RECORD_HEADER_SIZE
      const end = start + view.getUint16(at + 2, true)
      // What is there now is older, or never was anything: no commit begins without a head.
      if (!this.#hasHead && tag !== FastCommitTag.Head) return false
      if (end > block.byteLength || !isLengthKnown(tag, end - start, this.#terms.inodeSizeBytes)) {
        return this.#object(place, `record ${hex(tag)} at byte ${at} of it has ${end - start} bytes`)
      }
      const wrong = this.#takeRecord(block.subarray(at, end), { tag, offsetBytes: offsetBytes + at })
      if (wrong !== null) return this.#object(place, wrong)
      if (!this.#hasHead) return false
      at = end
    }
    return true
  }

  result(): FastCommits {
    const commits = this.#commits
    if (commits.length > 0 || !this.#hasHead) return { commits, objection: null }
    return { commits, objection: this.#objection ?? { place: this.#place, found: 'it has no end' } }
  }

  /** What is wrong with a record, or null. */
  #takeRecord(
    record: Uint8Array,
    { tag, offsetBytes }: { readonly tag: number; readonly offsetBytes: number },
  ): string | null {
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
    if (tag === FastCommitTag.Tail) return this.#takeTail(record, view)
    this.#checksum = chain(record, this.#checksum)
    if (tag === FastCommitTag.Head) return this.#takeHead(view)
    const parsed = parseRecord(tag, record.subarray(RECORD_HEADER_SIZE), offsetBytes)
    if (parsed === null) return null
    this.#recordCount += 1
    this.#recordBytes += record.byteLength
    if (this.#recordCount > RECORD_COUNT_MAX || this.#recordBytes > RECORD_BYTES_MAX) {
      const what = `journal with more than ${RECORD_COUNT_MAX} records of fast commits`
      throw new UnmappedError(what, `Cannot replay fast commits: found a ${what}`)
    }
    this.#open.push(parsed)
    return null
  }

  #takeHead(view: DataView): string | null {
    const features = view.getUint32(RECORD_HEADER_SIZE, true)
    const transaction = view.getUint32(RECORD_HEADER_SIZE + 4, true)
    if (transaction !== this.#terms.transaction) {
      return this.#hasHead ? `transaction is ${transaction}, expected ${this.#terms.transaction}` : null
    }
    this.#hasHead = true
    return features === 0 ? null : `it has features ${hex(features)}, not known`
  }

  /** The checksum is of all records since the tail before, this one's own number included. */
  #takeTail(record: Uint8Array, view: DataView): string | null {
    const transaction = view.getUint32(RECORD_HEADER_SIZE, true)
    const found = view.getUint32(RECORD_HEADER_SIZE + 4, true)
    const expected = chain(record.subarray(0, RECORD_HEADER_SIZE + 4), this.#checksum)
    if (transaction !== this.#terms.transaction) {
      return `transaction is ${transaction}, expected ${this.#terms.transaction}`
    }
    if (found !== expected) return `checksum is ${hex(found)}, expected ${hex(expected)}`
    this.#commits.push(this.#open)
    this.#open = []
    this.#checksum = 0
    return null
  }

  #object(place: number, found: string): false {
    this.#objection = { place, found }
    return false
  }
}

/** Chained like all checksums of ext4, but started with zero. */
function chain(bytes: Uint8Array, checksum: number): number {
  return ext4Checksum(bytes, checksum)
}
