// Checksums in the journal: the kernel's "ext4 Data Structures and Algorithms", section "Journal (jbd2)".
import { ext4Checksum } from '../checksum.ts'
import type { JournalSuperblock } from './journal-superblock.ts'

/** Bytes at the end of descriptor and revoke blocks that hold their checksum. */
export const TAIL_SIZE = 4
const COMMIT_CHECKSUM_OFFSET = 0x10

/** Whether the checksum at the end of a descriptor or revoke block fits; true where there are none. */
export function tailFits(journal: JournalSuperblock, block: Uint8Array): boolean {
  return journal.checksumVersion === 0 || fits(journal, block, block.byteLength - TAIL_SIZE)
}

/** Whether the checksum of a commit block itself fits; true where there are none. */
export function commitFits(journal: JournalSuperblock, block: Uint8Array): boolean {
  return journal.checksumVersion === 0 || fits(journal, block, COMMIT_CHECKSUM_OFFSET)
}

function fits(journal: JournalSuperblock, block: Uint8Array, offset: number): boolean {
  const found = new DataView(block.buffer, block.byteOffset).getUint32(offset)
  const zeroed = block.slice().fill(0, offset, offset + 4)
  return ext4Checksum(zeroed, journal.checksumSeed) === found
}

/** Whether the checksum that a tag has of a block, as it lies in the journal, fits; true where there are none. */
export function taggedBlockFits(
  journal: JournalSuperblock,
  tag: { readonly sequence: number; readonly checksum: number },
  block: Uint8Array,
): boolean {
  if (journal.checksumVersion === 0) return true
  const { sequence } = tag
  const sequenceBytes = Uint8Array.of(sequence >>> 24, sequence >>> 16, sequence >>> 8, sequence)
  const checksum = ext4Checksum(block, ext4Checksum(sequenceBytes, journal.checksumSeed))
  return tag.checksum === (journal.checksumVersion === 3 ? checksum : checksum & 0xffff)
}
