// What of the volume is in use: all that its AGs do not prove free. Headers, the blocks of all trees, the log and the
// free list of an AG are not in the trees of free space, so they are in use without being named.
import type { RangeBatch } from '../../domain/range.ts'
import { BatchCollector } from '../../extents/batch-collector.ts'
import { joinRanges } from '../../extents/join-ranges.ts'
import { endOf } from '../../domain/range.ts'
import { addFindingOnce } from '../add-finding.ts'
import type { AllocationProof } from '../file-system.ts'
import { FormatError } from '../format-error.ts'
import { agBlockCount, agOffsetBytes } from './addresses.ts'
import type { AgFree } from './ag-headers.ts'
import { freeRanges, proveFreeSpace } from './free-space.ts'
import type { XfsVolume } from './volume.ts'

/**
 * The ranges in use, ascending, from byte 0 to the end of the file system; all of it when the allocation is not
 * proven. An AG whose free space is damaged is in use as a whole, and a finding says so.
 */
export async function* usedRanges(
  volume: XfsVolume,
  allocation: AllocationProof,
  signal: AbortSignal,
): AsyncGenerator<RangeBatch> {
  const { superblock, findings } = volume
  if (!allocation.proven) {
    yield [{ offset: 0, length: superblock.sizeBytes }]
    return
  }
  const out = new BatchCollector(joinRanges)
  let freeBlocks = 0
  for (let agNumber = 0; agNumber < superblock.agCount; agNumber += 1) {
    signal.throwIfAborted()
    let position = agOffsetBytes(superblock, agNumber)
    const end = position + agBlockCount(superblock, agNumber) * superblock.blockSizeBytes
    const header = await provenHeader(volume, agNumber, signal)
    if (header !== null) {
      freeBlocks += header.freeBlocks + header.freeListCount
      if (superblock.features.lazyCounters) freeBlocks += header.treeBlocks
      for await (const batch of freeRanges(volume, { header }, signal)) {
        for (const free of batch) {
          if (free.offset > position) out.add({ offset: position, length: free.offset - position })
          position = endOf(free)
          if (out.isFull) yield out.take()
        }
      }
    } else freeBlocks = Number.NaN
    if (position < end) out.add({ offset: position, length: end - position })
  }
  // Less is no fault: in a frozen file system the kernel keeps back what its trees may need to grow.
  const { freeBlocks: said } = superblock.counters
  if (said > freeBlocks) {
    const place = { structure: 'XFS superblock', offsetBytes: 0 }
    addFindingOnce(findings, place, `it says ${said} free blocks, its allocation groups ${freeBlocks}`)
  }
  yield* out.rest()
}

/** Null, and a finding, when the AG is damaged. */
async function provenHeader(
  volume: XfsVolume,
  agNumber: number,
  signal: AbortSignal,
): Promise<AgFree | null> {
  try {
    return await proveFreeSpace(volume, agNumber, signal)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    addFindingOnce(volume.findings, error, `${error.found}; all of AG ${agNumber} counts as in use`)
    return null
  }
}
