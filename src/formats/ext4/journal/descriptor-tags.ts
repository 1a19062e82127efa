// Tags in a descriptor block: for each block of the journal that follows, which block of the volume it is.
import { TAIL_SIZE } from './block-checksums.ts'
import { JOURNAL_HEADER_SIZE, TagFlag } from './journal-layout.ts'
import type { JournalSuperblock } from './journal-superblock.ts'

export type JournalTag = {
  /** The number of the block of the volume. */
  readonly block: number
  readonly isEscaped: boolean
  /** Of 32 bits in version 3, of 16 in version 2; without a meaning otherwise. */
  readonly checksum: number
}

const UUID_SIZE = 16
const TWO_TO_32 = 2 ** 32

/** The tags of a descriptor block, up to the one that is marked as the last, or to the end of the block. */
export function parseTags(journal: JournalSuperblock, block: Uint8Array): readonly JournalTag[] {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  const tagSize = tagSizeBytes(journal)
  const end = block.byteLength - (journal.checksumVersion === 0 ? 0 : TAIL_SIZE)
  const tags: JournalTag[] = []
  let offset = JOURNAL_HEADER_SIZE
  while (offset + tagSize <= end) {
    const flags = view.getUint16(offset + 6)
    const low = view.getUint32(offset)
    const high = journal.has64BitNumbers ? view.getUint32(offset + 8) : 0
    tags.push({
      block: low + high * TWO_TO_32,
      isEscaped: (flags & TagFlag.Escaped) !== 0,
      checksum: journal.checksumVersion === 3 ? view.getUint32(offset + 12) : view.getUint16(offset + 4),
    })
    if ((flags & TagFlag.Last) !== 0) break
    offset += tagSize + ((flags & TagFlag.SameUuid) === 0 ? UUID_SIZE : 0)
  }
  return tags
}

/**
 *     version 3    block, flags (4 bytes), high half of block, checksum (4 bytes)
 *     before       block, checksum (2 bytes), flags (2 bytes), high half of block only with 64-bit numbers
 *
 * In version 2 two more bytes follow, which hold nothing: an old mistake that stayed. In version 3 the flags are in
 * the lower half of their four bytes, where they are before.
 */
function tagSizeBytes(journal: JournalSuperblock): number {
  if (journal.checksumVersion === 3) return 16
  return (journal.has64BitNumbers ? 12 : 8) + (journal.checksumVersion === 2 ? 2 : 0)
}
