import { isBackupError } from '../../domain/backup-error.ts'
import type { Randomness } from '../../domain/randomness.ts'
import { condemnPacks } from '../condemned.ts'
import type { Repository } from '../repository.ts'

export type Fence = {
  readonly packIds: readonly string[]
  /** Why they could not be fenced off; null when they were. */
  readonly failure: string | null
}

/** Fences packs off, so that the next backup stores anew what lies in them. */
export async function fencePacks(
  repository: Repository,
  packIds: readonly string[],
  randomness: Randomness,
): Promise<Fence> {
  if (packIds.length === 0) return { packIds, failure: null }
  const { store, sealing } = repository
  try {
    await condemnPacks(store, sealing, { packIds, salt: randomness.bytes(32) })
    return { packIds, failure: null }
  } catch (error) {
    if (!isBackupError(error)) throw error
    return { packIds, failure: error.message }
  }
}
