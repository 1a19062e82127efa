// Fast commits: small changes to files, written behind the ring as records. They are recognised, not replayed.
// Known from the kernel's "ext4 Data Structures and Algorithms", section "Fast commits".
import type { OpenJournal } from './scan-log.ts'

const HEAD_TAG = 0x9
/** Tag and length, of two bytes each; then the features and the number of the transaction, of four bytes each. */
const TRANSACTION_OFFSET = 8

/** Whether fast commits follow the last whole transaction: `nextSequence` is the number they would have. */
export async function hasFastCommits(journal: OpenJournal, nextSequence: number): Promise<boolean> {
  const { superblock, reader } = journal
  if (superblock.fastCommitBlockCount === 0) return false
  // The kernel leaves the first block behind the ring empty.
  for (const place of [superblock.endBlock, superblock.endBlock + 1]) {
    const block = place < reader.blockCount ? await reader.read(place) : null
    if (block === null) continue
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
    if (view.getUint16(0, true) !== HEAD_TAG) continue
    if (view.getUint32(TRANSACTION_OFFSET, true) === nextSequence) return true
  }
  return false
}
