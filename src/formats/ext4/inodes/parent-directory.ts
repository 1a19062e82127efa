// The directory above a directory: the kernel's "ext4 Data Structures and Algorithms", section "Directory Entries".
import { FormatError } from '../../format-error.ts'
import { fileBlockRuns } from '../file-blocks.ts'
import { InodeFlag } from '../inode-layout.ts'
import { isFlagged } from '../inode.ts'
import { readInode } from '../read-inode.ts'
import { readBlock, type Ext4Volume } from '../volume.ts'

/** Its own entry, `.`, takes 12 bytes; that of the directory above, `..`, is next. */
const PARENT_OFFSET = 12
const DOT_DOT = 0x2e2e

/** The number that `..` of a directory has. Throws FormatError when it has none. */
export async function parentDirectory(volume: Ext4Volume, number: number): Promise<number> {
  const inode = await readInode(volume, number)
  const { place, kind, blockMap } = inode
  if (kind !== 'directory') throw new FormatError(place, `it is a ${kind}, expected a directory`)
  if (isFlagged(inode, InodeFlag.InlineData)) {
    return new DataView(blockMap.buffer, blockMap.byteOffset).getUint32(0, true)
  }
  for await (const [run] of fileBlockRuns(volume, inode, { start: 0, end: 1 })) {
    if (run === undefined || run.fileBlock > 0) break
    const bytes = await readBlock(volume, run.firstBlock, `directory block 0 of ext4 inode ${number}`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const isParent = view.getUint8(PARENT_OFFSET + 6) === 2 && view.getUint16(PARENT_OFFSET + 8) === DOT_DOT
    if (isParent) return view.getUint32(PARENT_OFFSET, true)
  }
  throw new FormatError(place, 'it does not name the directory that it is in')
}
