// A file system of ext2, ext3 or ext4, from the bytes of its volume.
import type { ExtentBatch } from '../../domain/extent.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Range, RangeBatch } from '../../domain/range.ts'
import { cachedImage } from '../../images/cached-image.ts'
import { addFinding } from '../add-finding.ts'
import type {
  AllocationProof,
  DirectoryEntry,
  ExtendedAttribute,
  FileNode,
  FileSystem,
} from '../file-system.ts'
import type { Finding } from '../finding.ts'
import { FormatError } from '../format-error.ts'
import { allocationProof } from './allocation-proof.ts'
import { readAttributes } from './attributes.ts'
import { contentExtents } from './content-extents.ts'
import { readDirectoryEntries } from './directory.ts'
import { fileBlockRuns } from './file-blocks.ts'
import { readGroupDescriptors } from './group-descriptors.ts'
import type { Ext4Inode } from './inode.ts'
import type { BlockSpan } from './metadata-places.ts'
import { readInode } from './read-inode.ts'
import { readSuperblock } from './read-superblock.ts'
import { readSymlinkTarget } from './symlink.ts'
import { usedRanges } from './used-ranges.ts'
import type { Ext4Volume } from './volume.ts'

const ROOT_INODE = 2

/**
 * Opens the file system that begins at byte 0 of `image`, which stays open and is the caller's to dispose of. Throws
 * FormatError when there is none, or nothing of it can be read; UnmappedError for features that are not mapped.
 */
export async function openExt4(image: FrozenImage): Promise<FileSystem> {
  const findings: Finding[] = []
  const report = (finding: Finding): void => addFinding(findings, finding, finding.found)
  const cached = cachedImage(image)
  const { superblock, isBackup } = await readSuperblock(cached, report)
  const descriptors = await readGroupDescriptors(cached, superblock, report)
  const volume = { image: cached, superblock, descriptors, report }
  const allocation = allocationProof({ superblock, isBackup, imageSizeBytes: image.sizeBytes })
  return new Ext4FileSystem(volume, { allocation, findings })
}

class Ext4FileSystem implements FileSystem {
  readonly format: string
  readonly label: string
  readonly uuid: string
  readonly blockSizeBytes: number
  readonly sizeBytes: number
  readonly allocation: AllocationProof
  readonly findings: readonly Finding[]
  readonly rootInodeNumber = ROOT_INODE
  readonly #volume: Ext4Volume
  /** What was read of an inode beyond what others see of it, for as long as they hold on to it. */
  readonly #inodes = new WeakMap<FileNode, Ext4Inode>()

  constructor(
    volume: Ext4Volume,
    state: { readonly allocation: AllocationProof; readonly findings: readonly Finding[] },
  ) {
    const { superblock } = volume
    this.format = superblock.format
    this.label = superblock.label
    this.uuid = superblock.uuidText
    this.blockSizeBytes = superblock.blockSizeBytes
    this.sizeBytes = superblock.blockCount * superblock.blockSizeBytes
    this.allocation = state.allocation
    this.findings = state.findings
    this.#volume = volume
  }

  async *usedRanges(signal: AbortSignal): AsyncGenerator<RangeBatch> {
    const volume = this.#volume
    if (!this.allocation.proven) {
      const length = Math.min(this.sizeBytes, volume.image.sizeBytes)
      yield [{ offset: 0, length }]
      return
    }
    yield* usedRanges({ ...volume, journalRuns: await journalRuns(volume) }, signal)
  }

  async readNode(inodeNumber: number): Promise<FileNode> {
    const inode = await readInode(this.#volume, inodeNumber)
    const node = nodeOf(inode)
    this.#inodes.set(node, inode)
    return node
  }

  async *readDirectory(node: FileNode, signal: AbortSignal): AsyncGenerator<readonly DirectoryEntry[]> {
    const inode = await this.#inodeOf(node, 'directory')
    yield* readDirectoryEntries(this.#volume, inode, signal)
  }

  async *fileExtents(node: FileNode, range: Range, signal: AbortSignal): AsyncGenerator<ExtentBatch> {
    const inode = await this.#inodeOf(node, 'file')
    for await (const batch of contentExtents(this.#volume, inode, range)) {
      signal.throwIfAborted()
      yield batch
    }
  }

  async readSymlink(node: FileNode): Promise<Uint8Array> {
    return await readSymlinkTarget(this.#volume, await this.#inodeOf(node, 'symlink'))
  }

  async readAttributes(node: FileNode): Promise<readonly ExtendedAttribute[]> {
    return await readAttributes(this.#volume, await this.#inodeOf(node, node.kind))
  }

  async #inodeOf(node: FileNode, kind: FileNode['kind']): Promise<Ext4Inode> {
    const inode = this.#inodes.get(node) ?? (await readInode(this.#volume, node.number))
    if (inode.kind === kind) return inode
    throw new FormatError(inode.place, `it is a ${inode.kind}, expected a ${kind}`)
  }
}

/** The blocks of the journal that lies in a file. */
async function journalRuns(volume: Ext4Volume): Promise<readonly BlockSpan[]> {
  const { journalInode, blockSizeBytes } = volume.superblock
  if (journalInode === 0) return []
  const inode = await readInode(volume, journalInode)
  const blocks = { start: 0, end: Math.ceil(inode.sizeBytes / blockSizeBytes) }
  const spans: BlockSpan[] = []
  for await (const runs of fileBlockRuns(volume, inode, blocks)) {
    for (const { firstBlock, blockCount } of runs) spans.push({ block: firstBlock, count: blockCount })
  }
  return spans
}

function nodeOf(inode: Ext4Inode): FileNode {
  const { number, generation, kind, mode, userId, groupId, sizeBytes, linkCount } = inode
  const { accessed, modified, changed, born, device } = inode
  const identity = { number, generation, kind, mode, userId, groupId, sizeBytes, linkCount }
  return { ...identity, accessed, modified, changed, born, device }
}
