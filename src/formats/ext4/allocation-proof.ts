import type { AllocationProof } from '../file-system.ts'
import type { Superblock } from './superblock.ts'

/** Bits of the state of a file system. */
const STATE_CLEAN = 0x1
const STATE_ERRORS = 0x2

export type ProofSubject = {
  readonly superblock: Superblock
  /** A backup says nothing of the state. */
  readonly isBackup: boolean
  readonly imageSizeBytes: number
}

/**
 * Whether the block bitmaps of the file system prove what is free. A journal that is not empty though the superblock
 * does not ask for recovery is for whoever read the journal to object to.
 */
export function allocationProof({ superblock, isBackup, imageSizeBytes }: ProofSubject): AllocationProof {
  const { features, state } = superblock
  const [unknown] = features.unknownReadOnly
  if (unknown !== undefined) return notProven(`it has feature ${unknown}, which is not known`)
  if (isBackup) return notProven('its superblock is damaged and the backup may be old')
  if (superblock.blockCount * superblock.blockSizeBytes > imageSizeBytes) {
    return notProven('it is larger than the volume it lies on')
  }
  if (features.needsRecovery) return notProven('its journal needs recovery')
  if (features.hasJournal && superblock.journalInode === 0)
    return notProven('its journal is on another device')
  if ((state & STATE_ERRORS) !== 0) return notProven('its superblock says that errors were found in it')
  if ((state & STATE_CLEAN) === 0) return notProven('it was not unmounted cleanly')
  return { proven: true }
}

function notProven(reason: string): AllocationProof {
  return { proven: false, reason }
}
