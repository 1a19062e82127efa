import type { FrozenImage } from '../../domain/frozen-image.ts'
import { cachedImage } from '../../images/cached-image.ts'
import type { FileNode, FileSystem } from '../file-system.ts'
import type { Finding } from '../finding.ts'
import { readAttributes } from './attributes/read-attributes.ts'
import { readDirectory } from './directory/read-directory.ts'
import { mapFile } from './file-extents.ts'
import { fileNode } from './file-node.ts'
import type { Inode } from './inode.ts'
import { readInode } from './read-inode.ts'
import { readSuperblock } from './read-superblock.ts'
import { readSymlink } from './symlink.ts'
import type { XfsVolume } from './volume.ts'

/**
 * The XFS of a volume. Throws FormatError when it has none or its superblock is damaged, UnmappedError when it is of
 * a kind that is not mapped. The image must stay open as long as the file system is used.
 */
export async function openXfs(image: FrozenImage): Promise<FileSystem> {
  const findings: Finding[] = []
  const cached = cachedImage(image)
  const { superblock } = await readSuperblock(cached, findings)
  const volume: XfsVolume = { image: cached, superblock, findings }
  return {
    format: 'xfs',
    label: superblock.label,
    uuid: superblock.uuid.toHex(),
    blockSizeBytes: superblock.blockSizeBytes,
    sizeBytes: superblock.sizeBytes,
    allocation: { proven: false, reason: 'not read' },
    findings,
    rootInodeNumber: superblock.rootInode,
    async *usedRanges() {},
    ...filesOf(volume),
  }
}

type Files = Pick<FileSystem, 'readNode' | 'readDirectory' | 'fileExtents' | 'readSymlink' | 'readAttributes'>

function filesOf(volume: XfsVolume): Files {
  const inodeOf = (node: FileNode): Promise<Inode> => readInode(volume, node.number)
  return {
    readNode: async (inodeNumber) => fileNode(await readInode(volume, inodeNumber)),
    async *readDirectory(node, signal) {
      yield* readDirectory(volume, await inodeOf(node), signal)
    },
    async *fileExtents(node, range, signal) {
      yield* mapFile(volume, await inodeOf(node), { range, signal })
    },
    readSymlink: async (node) => await readSymlink(volume, await inodeOf(node)),
    readAttributes: async (node) => await readAttributes(volume, await inodeOf(node)),
  }
}
