import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { ProgressListener } from '../../domain/progress.ts'
import { restoreThreads } from '../../lane/restore-threads.ts'
import type { RestoreWork } from '../../lane/restore-messages.ts'
import { WriteGate } from '../../lane/write-gate.ts'
import type { RestoreLanes, RestoreOutcome } from '../../restore/restore-lanes.ts'
import { keepIdentified } from './keep-identified.ts'
import { SanTarget, type SanTargetParts } from './san-target.ts'

/** A target that is moved again and again is not restored. */
const PASSES_MAX = 5

export type SanRestoreParts = SanTargetParts & {
  readonly lanes: number
  readonly work: RestoreWork
  /** Writes all of the image by lanes. */
  readonly restore: (lanes: RestoreLanes, signal: AbortSignal) => Promise<RestoreOutcome>
  readonly progress: ProgressListener
  /** Called before the first byte is written. */
  readonly onWrite: () => void
}

export type SanOutcome = RestoreOutcome & {
  /** Ranges that both hosts read alike, before and after. */
  readonly comparedCount: number
  /** How often the target was moved meanwhile. */
  readonly movedCount: number
}

/**
 * Writes a target on its disks. When it is moved meanwhile, what was written may lie where the volume was before: then all
 * of it is compared at its new place, and what differs is written again.
 */
export async function restoreOverSan(parts: SanRestoreParts, signal: AbortSignal): Promise<SanOutcome> {
  let comparedCount = 0
  for (let pass = 1; pass <= PASSES_MAX; pass += 1) {
    const target = await SanTarget.open(parts, signal)
    try {
      // Each time: it may have been moved to another disk.
      comparedCount += await target.compare('before', signal)
      const outcome = await onePass(parts, { target, differing: parts.work.differing || pass > 1 }, signal)
      comparedCount += await target.compare('after', signal)
      return { ...outcome, comparedCount, movedCount: pass - 1 }
    } catch (error) {
      if (!isBackupError(error, ErrorCode.TargetChanged)) throw error
      parts.progress({ event: 'notice', message: `Comparing all of it once more: ${error.message}` })
    }
  }
  const message = `Cannot write "${parts.image.source}" on the storage: it was moved in each of ${PASSES_MAX} attempts, required is that it stays in place for as long as a restore takes`
  throw new BackupError(ErrorCode.TargetChanged, message)
}

async function onePass(
  parts: SanRestoreParts,
  how: { readonly target: SanTarget; readonly differing: boolean },
  signal: AbortSignal,
): Promise<RestoreOutcome> {
  const { map } = how.target
  const gate = new WriteGate()
  const target = await how.target.address(gate)
  const giveUp = (): void => gate.giveUp()
  parts.onWrite()
  await using lanes = restoreThreads(parts.lanes, {
    ...parts.work,
    work: 'restore',
    target,
    differing: how.differing,
  })
  signal.addEventListener('abort', giveUp)
  await using watched = keepIdentified({ gate, identify: (now) => map.identify(now) }, signal)
  let outcome: RestoreOutcome
  try {
    outcome = await parts.restore(lanes, signal)
    await parts.disks.sync()
  } catch (error) {
    signal.throwIfAborted()
    if (watched.failure !== null) throw watched.failure.error
    throw error
  } finally {
    signal.removeEventListener('abort', giveUp)
    // A thread must not be stopped under a write, and nothing is written any more when the last question is asked.
    gate.giveUp()
    await gate.untilEmpty()
    await watched[Symbol.asyncDispose]()
  }
  // Only when nothing moved until now, all that was written lies where the volume is.
  if (!watched.isMoved && (await map.identify(signal)).length === 0) return outcome
  throw new BackupError(ErrorCode.TargetChanged, 'the target lies elsewhere now')
}
