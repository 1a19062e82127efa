import type { FrozenImage } from '../domain/frozen-image.ts'
import { readBytes } from '../images/read-bytes.ts'
import { openExt4 } from './ext4/open-ext4.ts'
import type { FileSystem } from './file-system.ts'
import { UnmappedError } from './format-error.ts'
import { openXfs } from './xfs/open-xfs.ts'

/** The first bytes of an XFS superblock. */
const XFS_MAGIC = '58465342'

/** A file system, and the image that the offsets of its files count in. */
export type OpenedFileSystem = { readonly fileSystem: FileSystem; readonly image: FrozenImage }

/**
 * The file system that begins at byte 0 of an image, which stays the caller's to dispose of. Throws FormatError when it
 * is damaged beyond use, UnmappedError when there is none that is read.
 */
export async function openFileSystem(image: FrozenImage): Promise<OpenedFileSystem> {
  if (image.sizeBytes < 2048) throw noFileSystem('it is too small for one')
  const head = await readBytes(image, 0, 2048)
  if (head.subarray(0, 4).toHex() === XFS_MAGIC) return { fileSystem: await openXfs(image), image }
  if (head.subarray(1080, 1082).toHex() === '53ef') return { fileSystem: await openExt4(image), image }
  throw noFileSystem('there is neither ext2, ext3, ext4 nor XFS at its first byte')
}

function noFileSystem(found: string): UnmappedError {
  return new UnmappedError('volume without a known file system', `Cannot find a file system: ${found}`)
}
