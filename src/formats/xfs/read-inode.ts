import { readBytes } from '../../images/read-bytes.ts'
import { inodePlace } from './addresses.ts'
import { parseInode, type Inode } from './inode.ts'

import type { XfsVolume } from './volume.ts'

/** Throws FormatError when there is no such inode, it is not in use or damaged. */
export async function readInode(volume: XfsVolume, number: number): Promise<Inode> {
  const { superblock } = volume
  const structure = `XFS inode ${number}`
  const { offsetBytes } = inodePlace(superblock, number, { structure, offsetBytes: 0 })
  const place = { structure, offsetBytes }
  const bytes = await readBytes(volume.image, place.offsetBytes, superblock.inodeSizeBytes)
  const uuid = superblock.features.version === 5 ? superblock.metaUuid : null
  return parseInode(bytes, place, { number, uuid })
}
