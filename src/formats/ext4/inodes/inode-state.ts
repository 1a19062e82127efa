// What of an inode is compared: the kernel's "ext4 Data Structures and Algorithms", section "Index Nodes".
import { isSameBytes } from '../../../bytes/same-bytes.ts'
import type { InodeUse } from '../../inode-map.ts'
import { EXTRA, INODE, INODE_SIZE, InodeFlag } from '../inode-layout.ts'
import type { Superblock } from '../superblock.ts'

const ROOT_INODE = 2
/** Count of changes: the low word, and the high one among the extra fields. */
const VERSION_LOW = 0x24
const VERSION_HIGH = 0x98
const VERSION_END = 0x9c

/** Time of the last access, count of changes, checksum: they change when nothing else does. */
const IGNORED = [
  [INODE.accessed, 4],
  [VERSION_LOW, 4],
  [INODE.checksumLow, 2],
] as const
/** The same among the extra fields. */
const IGNORED_EXTRA = [
  [EXTRA.checksumHigh, 2],
  [EXTRA.accessed, 4],
  [VERSION_HIGH, 4],
] as const

export function isSameInodeState(before: Uint8Array, after: Uint8Array): boolean {
  if (isSameBytes(before, after)) return true
  return isSameBytes(compared(before), compared(after))
}

function compared(inode: Uint8Array): Uint8Array {
  const copy = inode.slice()
  for (const [offset, length] of IGNORED) copy.fill(0, offset, offset + length)
  if (inode.byteLength < VERSION_END) return copy
  const extraSize = new DataView(inode.buffer, inode.byteOffset).getUint16(EXTRA.size, true)
  // With fewer fields, attributes lie there.
  if (INODE_SIZE + extraSize < VERSION_END) return copy
  for (const [offset, length] of IGNORED_EXTRA) copy.fill(0, offset, offset + length)
  return copy
}

export function inodeUse(superblock: Superblock, number: number, inode: Uint8Array): InodeUse {
  const view = new DataView(inode.buffer, inode.byteOffset, inode.byteLength)
  if (view.getUint16(INODE.linkCount, true) === 0) return 'none'
  if (hiddenInodes(superblock).has(number)) return 'hidden'
  if (number < superblock.firstInode && number !== ROOT_INODE) return 'hidden'
  return (view.getUint32(INODE.flags, true) & InodeFlag.AttributeValue) === 0 ? 'file' : 'hidden'
}

/** Inodes of the file system's own: most are among the first that no file gets. */
export function hiddenInodes(superblock: Superblock): ReadonlySet<number> {
  const { journalInode, orphanFileInode, quotaInodes } = superblock
  const { user, group, project } = quotaInodes
  return new Set([journalInode, orphanFileInode, user, group, project].filter((number) => number > 0))
}
