// A file system of ext2, ext3 or ext4, from the bytes of its volume.
import type { ExtentBatch } from '../../domain/extent.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Range, RangeBatch } from '../../domain/range.ts'
import { cachedImage } from '../../images/cached-image.ts'
import { overlayExtents, type BlockOverlay } from '../../images/overlay-image.ts'
import { addFinding } from '../add-finding.ts'
import type {
  AllocationProof,
  DirectoryEntry,
  ExtendedAttribute,
  FileNode,
  FileSystem,
} from '../file-system.ts'
import type { Finding } from '../finding.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { allocationProof } from './allocation-proof.ts'
import { readAttributes } from './attributes.ts'
import { contentExtents } from './content-extents.ts'
import { readDirectoryEntries } from './directory.ts'
import { replayFastCommits } from './fast-commit/replay-fast-commits.ts'
import type { FastCommit } from './fast-commit/scan-fast-commits.ts'
import { readGroupDescriptors } from './group-descriptors.ts'
import type { Ext4Inode } from './inode.ts'
import { recoveredVolume, recoverVolume } from './journal/recover-volume.ts'
import type { InodeMap } from '../inode-map.ts'
import { ext4InodeMap } from './inodes/ext4-inode-map.ts'
import type { BlockSpan } from './metadata-places.ts'
import { Ext4Node } from './ext4-node.ts'
import { InodeWindow } from './inode-window.ts'
import { readInode } from './read-inode.ts'
import { readSuperblock } from './read-superblock.ts'
import { SUPERBLOCK_OFFSET } from './superblock-layout.ts'
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
  const { volume, isBackup } = await readVolume(cachedImage(image), report)
  const proof = allocationProof({ superblock: volume.superblock, isBackup, imageSizeBytes: image.sizeBytes })
  const foundBefore = findings.length
  const recovery = await recoverVolume(volume, isBackup)
  const { objection, journalRuns } = recovery
  const allocation = proof.proven && objection !== null ? { proven: false, reason: objection } : proof
  if (recovery.overlay === null) {
    return new Ext4FileSystem(volume, { allocation, findings, journalRuns, overlay: null })
  }
  // What was wrong before may be what the journal mends; what it does not, is found again.
  findings.splice(0, foundBefore)
  const recovered = await readRecovered(recoveredVolume(volume, recovery))
  const changed = await withFastCommits(recovered, recovery.fastCommits)
  return new Ext4FileSystem(changed, { allocation, findings, journalRuns, overlay: recovery.overlay })
}

async function readVolume(
  image: FrozenImage,
  report: Ext4Volume['report'],
): Promise<{ readonly volume: Ext4Volume; readonly isBackup: boolean }> {
  const { superblock, isBackup } = await readSuperblock(image, report)
  const descriptors = await readGroupDescriptors(image, superblock, report)
  return { volume: { image, superblock, descriptors, report }, isBackup }
}

/** The volume with the superblock and the descriptors that the journal holds. */
async function readRecovered(volume: Ext4Volume): Promise<Ext4Volume> {
  try {
    return (await readVolume(volume.image, volume.report)).volume
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof UnmappedError)) throw error
    const found = `what the journal has of it is not used: ${error.message}`
    volume.report({ structure: 'ext4 superblock', offsetBytes: SUPERBLOCK_OFFSET, found })
    return volume
  }
}

async function withFastCommits(volume: Ext4Volume, commits: readonly FastCommit[]): Promise<Ext4Volume> {
  if (commits.length === 0) return volume
  return { ...volume, changes: await replayFastCommits(volume, commits) }
}

type State = {
  readonly allocation: AllocationProof
  readonly findings: readonly Finding[]
  readonly journalRuns: readonly BlockSpan[]
  /** What the journal holds over the volume: contents too, when they go through the journal. */
  readonly overlay: BlockOverlay | null
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
  readonly inodes?: InodeMap
  readonly #volume: Ext4Volume
  readonly #journalRuns: readonly BlockSpan[]
  readonly #overlay: BlockOverlay | null

  constructor(volume: Ext4Volume, state: State) {
    const { superblock } = volume
    this.format = superblock.format
    this.label = superblock.label
    this.uuid = superblock.uuidText
    this.blockSizeBytes = superblock.blockSizeBytes
    this.sizeBytes = superblock.blockCount * superblock.blockSizeBytes
    this.allocation = state.allocation
    this.findings = state.findings
    this.#volume = { ...volume, inodeWindow: new InodeWindow(volume.image) }
    this.#journalRuns = state.journalRuns
    this.#overlay = state.overlay
    const inodes = ext4InodeMap(volume)
    if (inodes !== null) this.inodes = inodes
  }

  async *usedRanges(signal: AbortSignal): AsyncGenerator<RangeBatch> {
    const volume = this.#volume
    if (!this.allocation.proven) {
      const length = Math.min(this.sizeBytes, volume.image.sizeBytes)
      yield [{ offset: 0, length }]
      return
    }
    yield* usedRanges({ ...volume, journalRuns: this.#journalRuns }, signal)
  }

  async readNode(inodeNumber: number): Promise<FileNode> {
    const inode = await readInode(this.#volume, inodeNumber)
    if (inodeNumber === ROOT_INODE && inode.kind !== 'directory') {
      throw new FormatError(inode.place, `it is the root and a ${inode.kind}, expected a directory`)
    }
    return new Ext4Node(inode, this.#volume)
  }

  async *readDirectory(node: FileNode, signal: AbortSignal): AsyncGenerator<readonly DirectoryEntry[]> {
    const inode = await this.#inodeOf(node, 'directory')
    yield* readDirectoryEntries(this.#volume, inode, signal)
  }

  async *fileExtents(node: FileNode, range: Range, signal: AbortSignal): AsyncGenerator<ExtentBatch> {
    const inode = await this.#inodeOf(node, 'file')
    const onVolume = contentExtents(this.#volume, inode, range)
    const overlay = this.#overlay
    const extents = overlay === null ? onVolume : overlayExtents(onVolume, this.#volume.image, overlay)
    for await (const batch of extents) {
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
    const inode = Ext4Node.inodeOf(node, this.#volume) ?? (await readInode(this.#volume, node.number))
    if (inode.kind === kind) return inode
    throw new FormatError(inode.place, `it is a ${inode.kind}, expected a ${kind}`)
  }
}
