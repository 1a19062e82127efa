// An XFS, from the bytes of its volume.
import type { ExtentBatch } from '../../domain/extent.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Range, RangeBatch } from '../../domain/range.ts'
import { cachedImage } from '../../images/cached-image.ts'
import type {
  AllocationProof,
  DirectoryEntry,
  ExtendedAttribute,
  FileNode,
  FileSystem,
} from '../file-system.ts'
import { addFindingOnce } from '../add-finding.ts'
import type { Finding } from '../finding.ts'
import { FormatError } from '../format-error.ts'
import { readAttributes } from './attributes/read-attributes.ts'
import { readDirectory } from './directory/read-directory.ts'
import { mapFile } from './file-extents.ts'
import { fileNode } from './file-node.ts'
import type { InodeMap } from '../inode-map.ts'
import type { Inode } from './inode.ts'
import { xfsInodeMap } from './inodes/xfs-inode-map.ts'
import { proveAllocation } from './prove-allocation.ts'
import { readInode } from './read-inode.ts'
import { readSuperblock } from './read-superblock.ts'
import { readSymlink } from './symlink.ts'
import { usedRanges } from './used-ranges.ts'
import { uuidText } from './uuid-text.ts'
import type { XfsVolume } from './volume.ts'

/**
 * Opens the XFS that begins at byte 0 of `image`, which stays open and is the caller's to dispose of. Throws
 * FormatError when there is none, or nothing of it can be read; UnmappedError for features that are not mapped.
 */
export async function openXfs(image: FrozenImage): Promise<FileSystem> {
  const findings: Finding[] = []
  const cached = cachedImage(image)
  const found = await readSuperblock(cached, findings)
  const volume = { image: cached, superblock: found.superblock, findings }
  const allocation = await proveAllocation(volume, found)
  if (!allocation.proven) {
    const place = { structure: 'XFS', offsetBytes: 0 }
    addFindingOnce(
      findings,
      place,
      `${allocation.reason}; files are read as they lie, perhaps not as they were last`,
    )
  }
  return new XfsFileSystem(volume, allocation)
}

class XfsFileSystem implements FileSystem {
  readonly format = 'xfs'
  readonly label: string
  readonly uuid: string
  readonly blockSizeBytes: number
  readonly sizeBytes: number
  readonly allocation: AllocationProof
  readonly findings: readonly Finding[]
  readonly rootInodeNumber: number
  readonly inodes?: InodeMap
  readonly #volume: XfsVolume
  /** What was read of an inode beyond what others see of it, for as long as they hold on to it. */
  readonly #inodes = new WeakMap<FileNode, Inode>()

  constructor(volume: XfsVolume, allocation: AllocationProof) {
    const { superblock, findings } = volume
    this.label = superblock.label
    this.uuid = uuidText(superblock.uuid)
    this.blockSizeBytes = superblock.blockSizeBytes
    this.sizeBytes = superblock.sizeBytes
    this.rootInodeNumber = superblock.rootInode
    this.allocation = allocation
    this.findings = findings
    this.#volume = volume
    const inodes = xfsInodeMap(volume)
    if (inodes !== null) this.inodes = inodes
  }

  usedRanges(signal: AbortSignal): AsyncGenerator<RangeBatch> {
    return usedRanges(this.#volume, this.allocation, signal)
  }

  async readNode(inodeNumber: number): Promise<FileNode> {
    const inode = await readInode(this.#volume, inodeNumber)
    if (inodeNumber === this.rootInodeNumber && inode.kind !== 'directory') {
      throw new FormatError(inode.place, `it is the root and a ${inode.kind}, expected a directory`)
    }
    const node = fileNode(inode)
    this.#inodes.set(node, inode)
    return node
  }

  async *readDirectory(node: FileNode, signal: AbortSignal): AsyncGenerator<readonly DirectoryEntry[]> {
    yield* readDirectory(this.#volume, await this.#inodeOf(node), signal)
  }

  async *fileExtents(node: FileNode, range: Range, signal: AbortSignal): AsyncGenerator<ExtentBatch> {
    yield* mapFile(this.#volume, await this.#inodeOf(node), { range, signal })
  }

  async readSymlink(node: FileNode): Promise<Uint8Array> {
    return await readSymlink(this.#volume, await this.#inodeOf(node))
  }

  async readAttributes(node: FileNode): Promise<readonly ExtendedAttribute[]> {
    return await readAttributes(this.#volume, await this.#inodeOf(node))
  }

  /** Read once more for a node that is a copy. */
  async #inodeOf(node: FileNode): Promise<Inode> {
    return this.#inodes.get(node) ?? (await readInode(this.#volume, node.number))
  }
}
