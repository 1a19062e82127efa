import type { FrozenImage } from '../domain/frozen-image.ts'
import { openExt4 } from './ext4/open-ext4.ts'
import type { FileSystem } from './file-system.ts'
import { UnmappedError } from './format-error.ts'
import { recognise, type Recognition } from './signatures/recognise.ts'
import { openXfs } from './xfs/open-xfs.ts'

/** A file system, and the image that the offsets of its files count in. */
export type OpenedFileSystem = { readonly fileSystem: FileSystem; readonly image: FrozenImage }

/**
 * The file system that begins at byte 0 of an image, which stays the caller's to dispose of. Throws FormatError when it
 * is damaged beyond use, UnmappedError when there is none that is read: the sentence says what there is instead.
 */
export async function openFileSystem(image: FrozenImage, signal: AbortSignal): Promise<OpenedFileSystem> {
  const found = await recognise(image, signal)
  if (found.kind === 'xfs') return { fileSystem: await openXfs(image), image }
  if (found.kind === 'ext') return { fileSystem: await openExt4(image), image }
  throw new UnmappedError(found.name, `${whatIsThere(found)}, required is ext2, ext3, ext4 or XFS`)
}

function whatIsThere({ kind, name, claims }: Recognition): string {
  switch (kind) {
    case 'gpt':
    case 'mbr':
      return `it is a disk with a partition table (${name})`
    case 'lvm2':
      return 'it is a physical volume of LVM'
    case 'empty':
      return 'it begins and ends with zeros'
    case 'ext':
    case 'xfs':
    case 'foreign':
      return `it holds ${name}`
    case 'unknown':
      return claims.length === 0 ? 'it bears no mark of a known file system' : `it bears the marks of ${name}`
  }
}
