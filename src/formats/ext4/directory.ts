// Directories: the kernel's "ext4 Data Structures and Algorithms", section "Directory Entries". Those with a hash tree
// are read like those without: the nodes of the tree look empty, and every name lies in a leaf.
import { BATCH_LENGTH } from '../../extents/batches.ts'
import type { DirectoryEntry } from '../file-system.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import type { BlockRun } from './block-run.ts'
import { parseDirectoryBlock, type DirectoryRules } from './directory-block.ts'
import { checkDirectoryBlock } from './directory-checksum.ts'
import { changedEntries } from './fast-commit/changed-files.ts'
import { fileBlockRuns } from './file-blocks.ts'
import { readInlineData } from './inline-data.ts'
import { BLOCK_MAP_SIZE, InodeFlag } from './inode-layout.ts'
import { isFlagged, type Ext4Inode } from './inode.ts'
import { readBlock, type Ext4Volume } from './volume.ts'

/** Of an inline directory, the first bytes are the number of the directory that it is in. */
const PARENT_SIZE = 4

/** The entries of a directory in the order in which they lie, then those that fast commits added. */
export function readDirectoryEntries(
  volume: Ext4Volume,
  inode: Ext4Inode,
  signal: AbortSignal,
): AsyncGenerator<readonly DirectoryEntry[]> {
  const entries = entriesInBlocks(volume, inode, signal)
  const changed = volume.changes?.names.get(inode.number)
  return changed === undefined ? entries : changedEntries(entries, changed)
}

/**
 * The entries of a directory in the order in which they lie. As no block is in a directory twice, one that has more
 * blocks than the file system is damaged: the stream ends for every image.
 */
async function* entriesInBlocks(
  volume: Ext4Volume,
  inode: Ext4Inode,
  signal: AbortSignal,
): AsyncGenerator<readonly DirectoryEntry[]> {
  const reader = new DirectoryReader(volume, inode)
  if (isFlagged(inode, InodeFlag.InlineData)) {
    reader.readInline()
    yield* reader.rest()
    return
  }
  const { blockSizeBytes, blockCount } = volume.superblock
  const blocks = { start: 0, end: Math.ceil(inode.sizeBytes / blockSizeBytes) }
  let blocksRead = 0
  for await (const runs of fileBlockRuns(volume, inode, blocks)) {
    for (const run of runs) {
      reader.expect(run)
      const count = Math.min(run.blockCount, blocks.end - run.fileBlock)
      for (let index = 0; index < count; index += 1) {
        signal.throwIfAborted()
        blocksRead += 1
        if (blocksRead > blockCount) {
          throw new FormatError(
            inode.place,
            `directory has more blocks than the ${blockCount} of the file system`,
          )
        }
        await reader.readLeaf(run, index)
        if (reader.isFull) yield reader.take()
      }
    }
  }
  reader.finish(blocks.end)
  yield* reader.rest()
}

class DirectoryReader {
  readonly #volume: Ext4Volume
  readonly #inode: Ext4Inode
  readonly #rules: DirectoryRules
  #entries: DirectoryEntry[] = []
  #position = 0

  constructor(volume: Ext4Volume, inode: Ext4Inode) {
    this.#volume = volume
    this.#inode = inode
    this.#rules = {
      inodeCount: volume.superblock.inodeCount,
      namesAreEncrypted: isFlagged(inode, InodeFlag.Encrypted),
      hasFileTypes: volume.superblock.features.fileType,
    }
  }

  get isFull(): boolean {
    return this.#entries.length >= BATCH_LENGTH
  }

  take(): readonly DirectoryEntry[] {
    const entries = this.#entries
    this.#entries = []
    return entries
  }

  *rest(): Generator<readonly DirectoryEntry[]> {
    if (this.#entries.length > 0) yield this.take()
  }

  /** The entries behind the parent's number in the block map, then those in the attribute `system.data`. */
  readInline(): void {
    const { place, number } = this.#inode
    const content = readInlineData(this.#inode)
    const structure = `inline directory of ext4 inode ${number}`
    this.#parse(content.subarray(PARENT_SIZE, BLOCK_MAP_SIZE), { ...place, structure })
    if (content.byteLength > BLOCK_MAP_SIZE) {
      this.#parse(content.subarray(BLOCK_MAP_SIZE), { ...place, structure })
    }
  }

  /** Says what is missing before a run: a directory has no holes. */
  expect(run: BlockRun): void {
    if (run.fileBlock > this.#position) this.finish(run.fileBlock)
    this.#position = run.fileBlock + run.blockCount
    if (run.unwritten)
      throw new FormatError(this.#inode.place, 'directory has blocks that were never written')
  }

  finish(end: number): void {
    if (end <= this.#position) return
    const found = `directory has a hole from block ${this.#position} of it to block ${end - 1}`
    this.#volume.report({ ...this.#inode.place, found })
  }

  async readLeaf(run: BlockRun, index: number): Promise<void> {
    const { superblock } = this.#volume
    const structure = `directory block ${run.fileBlock + index} of ext4 inode ${this.#inode.number}`
    const bytes = await readBlock(this.#volume, run.firstBlock + index, structure)
    const place = { structure, offsetBytes: (run.firstBlock + index) * superblock.blockSizeBytes }
    if (superblock.features.metadataChecksums) {
      const block = {
        bytes,
        view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        place,
        isFirst: run.fileBlock + index === 0,
        isIndexed: isFlagged(this.#inode, InodeFlag.Indexed),
      }
      if (!checkDirectoryBlock(block, this.#inode.checksumSeed)) {
        this.#volume.report({ ...place, found: 'it has no checksum' })
      }
    }
    this.#parse(bytes, place)
  }

  #parse(bytes: Uint8Array, place: StructurePlace): void {
    const oddNames = parseDirectoryBlock(bytes, this.#entries, { rules: this.#rules, place })
    for (const { offset, what } of oddNames) {
      this.#volume.report({ ...place, found: `entry at byte ${offset} of it has ${what}` })
    }
  }
}
