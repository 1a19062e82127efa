// What of an inode is compared: "XFS Algorithms & Data Structures", 3rd edition, chapter "On-disk Inode".
import { isSameBytes } from '../../../bytes/same-bytes.ts'

/** How often it was flushed, when it was read last. */
const IGNORED = [
  [30, 2],
  [32, 8],
] as const
/** Of version 3: checksum, count of changes, sequence number of the log. */
const IGNORED_V3 = [100, 20] as const
const VERSION_OFFSET = 4
const MODE_OFFSET = 2
const LINK_COUNT_OLD_OFFSET = 6
const LINK_COUNT_OFFSET = 16

export function isSameInodeState(before: Uint8Array, after: Uint8Array): boolean {
  if (isSameBytes(before, after)) return true
  return isSameBytes(compared(before), compared(after))
}

function compared(inode: Uint8Array): Uint8Array {
  const copy = inode.slice()
  for (const [offset, length] of IGNORED) copy.fill(0, offset, offset + length)
  const [offset, length] = IGNORED_V3
  if (inode[VERSION_OFFSET] === 3) copy.fill(0, offset, offset + length)
  return copy
}

/** One without a link is nobody's any more, or not yet. */
export function isInodeInUse(inode: Uint8Array): boolean {
  const view = new DataView(inode.buffer, inode.byteOffset, inode.byteLength)
  if (view.getUint16(MODE_OFFSET) === 0) return false
  return view.getUint8(VERSION_OFFSET) === 1
    ? view.getUint16(LINK_COUNT_OLD_OFFSET) > 0
    : view.getUint32(LINK_COUNT_OFFSET) > 0
}
