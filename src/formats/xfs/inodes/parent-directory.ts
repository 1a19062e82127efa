// The directory above a directory. In its inode it is named before the entries; else `.` and `..` are the first two
// entries of the first block. Known from "XFS Algorithms & Data Structures", "Short Form Directories" and "Block
// Directories".
import { FormatError } from '../../format-error.ts'
import { readForkBlocks } from '../fork-blocks.ts'
import { readInode } from '../read-inode.ts'
import type { XfsVolume } from '../volume.ts'

const HEADER_BYTES = { 4: 16, 5: 64 }
/** An entry with a name of one or two bytes takes as many. */
const ENTRY_BYTES = 16
const NAME_OFFSET = 9
const DOT_DOT = 0x2e2e
const SHORT_FORM_WIDE_OFFSET = 1
const SHORT_FORM_PARENT_OFFSET = 2

/** The number that `..` of a directory has. Throws FormatError when it has none. */
export async function parentDirectory(volume: XfsVolume, number: number): Promise<number> {
  const inode = await readInode(volume, number)
  const { place, kind, data } = inode
  if (kind !== 'directory') throw new FormatError(place, `it is a ${kind}, expected a directory`)
  if (data.format === 'local') {
    const view = new DataView(data.bytes.buffer, data.bytes.byteOffset, data.bytes.byteLength)
    return view.getUint8(SHORT_FORM_WIDE_OFFSET) === 0
      ? view.getUint32(SHORT_FORM_PARENT_OFFSET)
      : Number(view.getBigUint64(SHORT_FORM_PARENT_OFFSET))
  }
  const run = { startBlock: 0, blockCount: 1, structure: 'directory block' }
  const { bytes } = await readForkBlocks(volume, { inode, fork: data }, run)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const offset = HEADER_BYTES[volume.superblock.features.version] + ENTRY_BYTES
  const isParent =
    view.getUint8(offset + NAME_OFFSET - 1) === 2 && view.getUint16(offset + NAME_OFFSET) === DOT_DOT
  if (isParent) return Number(view.getBigUint64(offset))
  throw new FormatError(place, 'it does not name the directory that it is in')
}
