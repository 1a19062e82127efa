// The blocks of a journal that is a file of the file system.
import { readBytes } from '../../../images/read-bytes.ts'
import { FormatError } from '../../format-error.ts'
import { ext4Checksum, littleEndian32 } from '../checksum.ts'
import { fileBlockRuns } from '../file-blocks.ts'
import { InodeFlag } from '../inode-layout.ts'
import type { Ext4Inode } from '../inode.ts'
import type { BlockSpan } from '../metadata-places.ts'
import { readInode } from '../read-inode.ts'
import type { Ext4Volume } from '../volume.ts'

/** More fragments than a journal ever has: it is made in one piece, or of few. */
const RUN_COUNT_MAX = 1_000_000
/** What mke2fs makes at most. */
const BLOCK_COUNT_MAX = 10_240_000

/** A journal: where each of its blocks lies on the volume. */
export type JournalFile = {
  /** Ascending in the journal, without holes. */
  readonly runs: readonly BlockSpan[]
  readonly blockCount: number
}

/**
 * The file that holds the journal, by its inode or, when that is damaged, by the copy of its block map in the
 * superblock, with a finding. Throws FormatError when neither leads to a file without holes.
 */
export async function openJournalFile(volume: Ext4Volume): Promise<JournalFile> {
  const { superblock, report } = volume
  try {
    return await journalRuns(volume, await readInode(volume, superblock.journalInode))
  } catch (error) {
    const backup = error instanceof FormatError ? backupInode(volume) : null
    if (!(error instanceof FormatError) || backup === null) throw error
    const journal = await journalRuns(volume, backup)
    report({
      structure: error.structure,
      offsetBytes: error.offsetBytes,
      found: `the inode of the journal is damaged (${error.message}); its copy in the superblock is used`,
    })
    return journal
  }
}

async function journalRuns(volume: Ext4Volume, inode: Ext4Inode): Promise<JournalFile> {
  const { blockSizeBytes } = volume.superblock
  if (inode.kind !== 'file') throw new FormatError(inode.place, `the journal is a ${inode.kind}`)
  const blockCount = Math.floor(inode.sizeBytes / blockSizeBytes)
  if (blockCount > Math.min(volume.superblock.blockCount, BLOCK_COUNT_MAX)) {
    throw new FormatError(inode.place, `the journal has ${inode.sizeBytes} bytes`)
  }
  const runs: BlockSpan[] = []
  let position = 0
  for await (const batch of fileBlockRuns(volume, inode, { start: 0, end: blockCount })) {
    for (const run of batch) {
      if (run.fileBlock !== position || run.unwritten || runs.length === RUN_COUNT_MAX) {
        throw new FormatError(inode.place, `the journal has a hole or too many pieces at block ${position}`)
      }
      const count = Math.min(run.blockCount, blockCount - position)
      runs.push({ block: run.firstBlock, count })
      position += count
      if (position === blockCount) return { runs, blockCount }
    }
  }
  throw new FormatError(inode.place, `the journal has ${position} blocks, its size says ${blockCount}`)
}

const BLOCK_MAP_SIZE = 60
const EXTENT_MAGIC = 0xf30a
const TWO_TO_32 = 2 ** 32

/** The journal's inode as far as the superblock has a copy of it: of its block map and of its size. */
function backupInode(volume: Ext4Volume): Ext4Inode | null {
  const { journalBackup, journalInode } = volume.superblock
  if (journalBackup === null) return null
  const view = new DataView(journalBackup.buffer, journalBackup.byteOffset, journalBackup.byteLength)
  const sizeBytes = view.getUint32(64, true) + view.getUint32(60, true) * TWO_TO_32
  // The journal is of generation 0, as every inode that mke2fs makes.
  const checksumSeed = ext4Checksum(
    littleEndian32(0),
    ext4Checksum(littleEndian32(journalInode), volume.superblock.checksumSeed),
  )
  const never = { seconds: 0, nanoseconds: 0 }
  const times = { accessed: never, modified: never, changed: never, born: null }
  return {
    ...times,
    number: journalInode,
    generation: 0,
    kind: 'file',
    mode: 0o600,
    userId: 0,
    groupId: 0,
    linkCount: 1,
    device: null,
    sizeBytes: Number.isSafeInteger(sizeBytes) ? sizeBytes : 0,
    place: { structure: 'copy of the journal inode in the ext4 superblock', offsetBytes: 1024 },
    flags: view.getUint16(0, true) === EXTENT_MAGIC ? InodeFlag.Extents : 0,
    blockMap: journalBackup.subarray(0, BLOCK_MAP_SIZE),
    sectorCount: 0,
    attributeBlock: 0,
    attributeBytes: new Uint8Array(0),
    attributesOffsetBytes: 0,
    checksumSeed,
  }
}

/** Reads blocks of a journal by their number in it. */
export class JournalReader {
  readonly #volume: Ext4Volume
  readonly #starts: Float64Array
  readonly #blocks: Float64Array
  readonly blockCount: number

  constructor(volume: Ext4Volume, file: JournalFile) {
    this.#volume = volume
    this.blockCount = file.blockCount
    this.#blocks = Float64Array.from(file.runs, (run) => run.block)
    this.#starts = new Float64Array(file.runs.length)
    let start = 0
    for (const [index, run] of file.runs.entries()) {
      this.#starts[index] = start
      start += run.count
    }
  }

  /** The byte of the volume at which block `index` of the journal, which must have it, lies. */
  offsetOf(index: number): number {
    let low = 0
    let high = this.#starts.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] ?? 0) <= index) low = middle
      else high = middle
    }
    const block = (this.#blocks[low] ?? 0) + index - (this.#starts[low] ?? 0)
    return block * this.#volume.superblock.blockSizeBytes
  }

  /** The content of block `index`; null when it lies beyond the end of the image or of the journal. */
  async read(index: number): Promise<Uint8Array | null> {
    const { image, superblock } = this.#volume
    const { blockSizeBytes } = superblock
    const offset = this.offsetOf(index)
    if (index >= this.blockCount || offset + blockSizeBytes > image.sizeBytes) return null
    return await readBytes(image, offset, blockSizeBytes)
  }
}
