// Values too large for a block, in an inode of their own: the kernel's "ext4 Data Structures and Algorithms", section
// "Extended Attributes", feature ea_inode.
import { hex } from '../hex.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError } from '../format-error.ts'
import type { AttributeEntry } from './attribute-entries.ts'
import { isAttributeHash } from './attribute-hash.ts'
import { ext4Checksum, littleEndian32 } from './checksum.ts'
import { contentExtents } from './content-extents.ts'
import { InodeFlag } from './inode-layout.ts'
import { isFlagged, type Ext4Inode } from './inode.ts'
import { readInode } from './read-inode.ts'
import type { Ext4Volume } from './volume.ts'

/** What the kernel lets a value have, for any file system. */
const VALUE_SIZE_MAX = 64 * 1024

/** The value of an entry of `owner`, from wherever it lies. */
export async function readAttributeValue(
  volume: Ext4Volume,
  owner: Ext4Inode,
  entry: AttributeEntry,
): Promise<Uint8Array> {
  // Without a size there is nothing to look for, whichever inode it is said to be in: the kernel has it so, too.
  if (entry.valueInode === 0 || entry.valueSizeBytes === 0) return entry.value.slice()
  const inode = await readInode(volume, entry.valueInode)
  if (!isFlagged(inode, InodeFlag.AttributeValue) || inode.kind !== 'file') {
    throw new FormatError(inode.place, `it is no attribute's value, but inode ${owner.number} has it as one`)
  }
  if (inode.sizeBytes !== entry.valueSizeBytes || inode.sizeBytes > VALUE_SIZE_MAX) {
    throw new FormatError(
      inode.place,
      `size is ${inode.sizeBytes}, the attribute's is ${entry.valueSizeBytes}, limit is ${VALUE_SIZE_MAX}`,
    )
  }
  const value = await readContent(volume, inode)
  if (!isLustreValue(inode, owner)) checkHashes(volume, { inode, entry, value })
  return value
}

/** The first form of such inodes had no hash, but the number and generation of the one file that has them. */
function isLustreValue(inode: Ext4Inode, owner: Ext4Inode): boolean {
  return inode.modified.seconds >>> 0 === owner.number && inode.generation === owner.generation
}

/** The inode keeps the checksum of the value where others keep the time of their last access. */
function checkHashes(
  volume: Ext4Volume,
  { inode, entry, value }: { inode: Ext4Inode; entry: AttributeEntry; value: Uint8Array },
): void {
  const found = Number(BigInt.asUintN(32, BigInt(inode.accessed.seconds)))
  const expected = ext4Checksum(value, volume.superblock.checksumSeed)
  if (found !== expected) {
    throw new FormatError(inode.place, `checksum of the value is ${hex(found)}, expected ${hex(expected)}`)
  }
  if (isAttributeHash(entry.hash, entry.name, littleEndian32(expected))) return
  throw new FormatError(inode.place, `hash of the attribute is ${hex(entry.hash)}, which does not fit`)
}

/** The whole content of a small file. */
export async function readContent(volume: Ext4Volume, inode: Ext4Inode): Promise<Uint8Array> {
  const content = new Uint8Array(inode.sizeBytes)
  for await (const batch of contentExtents(volume, inode, { offset: 0, length: inode.sizeBytes })) {
    for (const extent of batch) {
      if (extent.kind === 'inline') content.set(extent.bytes, extent.offset)
      if (extent.kind !== 'data') continue
      content.set(await readBytes(volume.image, extent.physicalOffset, extent.length), extent.offset)
    }
  }
  return content
}
