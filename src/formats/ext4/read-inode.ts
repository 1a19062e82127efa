import { readBytes } from '../../images/read-bytes.ts'
import { FormatError, UnmappedError, type StructurePlace } from '../format-error.ts'
import { parseInode, type Ext4Inode } from './inode.ts'
import type { Ext4Volume } from './volume.ts'

/** Inode `number`, from the table of its group. Throws FormatError when there is none, or it is not in use. */
export async function readInode(volume: Ext4Volume, number: number): Promise<Ext4Inode> {
  const { superblock } = volume
  const place = inodePlace(volume, number)
  const changed = volume.changes?.inodes.get(number)
  if (changed === undefined) {
    const { offsetBytes } = place
    const bytes =
      volume.inodeWindow === undefined
        ? await readBytes(volume.image, offsetBytes, superblock.inodeSizeBytes)
        : await volume.inodeWindow.read(offsetBytes, superblock.inodeSizeBytes)
    return parseInode(bytes, number, { superblock, place })
  }
  if (changed.refusal !== null) {
    const what = `${place.structure} after a fast commit`
    throw new UnmappedError(what, `Cannot read ${place.structure}: ${changed.refusal}`)
  }
  return parseInode(changed.bytes, number, { superblock, place, hasChecksum: false })
}

/** The bytes of inode `number` as they lie in the table. Throws FormatError when there is none. */
export async function readInodeBytes(volume: Ext4Volume, number: number): Promise<Uint8Array> {
  const { offsetBytes } = inodePlace(volume, number)
  return await readBytes(volume.image, offsetBytes, volume.superblock.inodeSizeBytes)
}

/** Where inode `number` lies. Throws FormatError when there is none. */
export function inodePlace({ superblock, descriptors, image }: Ext4Volume, number: number): StructurePlace {
  const structure = `ext4 inode ${number}`
  if (!Number.isInteger(number) || number < 1 || number > superblock.inodeCount) {
    throw new FormatError({ structure, offsetBytes: 0 }, `the last inode is ${superblock.inodeCount}`)
  }
  const { inodesPerGroup, inodeSizeBytes, blockSizeBytes } = superblock
  const group = Math.floor((number - 1) / inodesPerGroup)
  const table = descriptors.inodeTable[group] ?? 0
  if (table === 0) {
    throw new FormatError({ structure, offsetBytes: 0 }, `the descriptor of its group ${group} is damaged`)
  }
  const offsetBytes = table * blockSizeBytes + ((number - 1) % inodesPerGroup) * inodeSizeBytes
  const place = { structure, offsetBytes }
  if (offsetBytes + inodeSizeBytes > image.sizeBytes) {
    throw new FormatError(place, `the image ends at byte ${image.sizeBytes}`)
  }
  return place
}
