import type { AllocationProof } from '../file-system.ts'
import { hex } from '../hex.ts'
import { readLogState } from './log-state.ts'
import type { FoundSuperblock } from './read-superblock.ts'
import type { XfsVolume } from './volume.ts'

/** Whether the trees of free space are to be believed, before any of them is read. */
export async function proveAllocation(volume: XfsVolume, found: FoundSuperblock): Promise<AllocationProof> {
  const reason = await doubt(volume, found)
  return reason === null ? { proven: true } : { proven: false, reason }
}

async function doubt(volume: XfsVolume, { superblock, isPrimary }: FoundSuperblock): Promise<string | null> {
  const { needsRepair, unknownReadOnlyCompatible: unknown } = superblock.features
  if (!isPrimary) return 'its first superblock is damaged'
  if (needsRepair) return 'it is marked as in need of repair'
  if (unknown !== 0) return `it has features that are not known (${hex(unknown)})`
  return await readLogState(volume)
}
