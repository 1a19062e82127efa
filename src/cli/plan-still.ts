import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { isFrozen } from './freeze/frozen-source.ts'
import type { OpenSources } from './open-backup-sources.ts'
import type { PlannedSources } from './planned-sources.ts'

/** What was looked at moves once, when it is written for the first time: a plan that holds comes soon. */
const ROUNDS_MAX = 16

/**
 * Plans until nothing of what was looked at had moved away before it was read: what it then says is of the image.
 * Throws SOURCE_CHANGED when there is no end to it.
 */
export async function planStill(
  { sources }: OpenSources,
  plan: () => Promise<PlannedSources>,
  signal: AbortSignal,
): Promise<PlannedSources> {
  const moving = sources.flatMap(({ local }) => (isFrozen(local) ? (local.frozen.isLookedRight ?? []) : []))
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const attempt = await outcomeOf(plan)
    let isRight = true
    for (const isLookedRight of moving) isRight = (await isLookedRight(signal)) && isRight
    if (isRight && 'error' in attempt) throw attempt.error
    if (isRight && 'planned' in attempt) return attempt.planned
    if ('planned' in attempt) await attempt.planned[Symbol.asyncDispose]()
  }
  const message = `Cannot look into the image: what was looked at moved in each of ${ROUNDS_MAX} rounds, required is that it stays in place for a moment, or --whole`
  throw new BackupError(ErrorCode.SourceChanged, message)
}

/** What cannot be made sense of may have been read where it lies no more. */
async function outcomeOf(
  plan: () => Promise<PlannedSources>,
): Promise<{ readonly planned: PlannedSources } | { readonly error: unknown }> {
  try {
    return { planned: await plan() }
  } catch (error) {
    return { error }
  }
}
