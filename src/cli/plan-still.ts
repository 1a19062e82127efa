import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { isFrozen } from './freeze/frozen-source.ts'
import type { OpenSources } from './open-backup-sources.ts'
import type { PlannedSources } from './planned-sources.ts'

/** What was looked at moves once, when it is written for the first time: a plan that holds comes soon. */
const ROUNDS_MAX = 16

/**
 * Plans until nothing of what was looked at had moved away before it was read: what it then says is of the image.
 * Throws SOURCE_CHANGED when there is no end to it, and CHALLENGE_FAILED when it was another disk that was looked at.
 */
export async function planStill(
  { sources }: OpenSources,
  plan: () => Promise<PlannedSources>,
  signal: AbortSignal,
): Promise<PlannedSources> {
  const frozen = sources.flatMap(({ local }) => (isFrozen(local) ? [local.frozen] : []))
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await using stack = new AsyncDisposableStack()
    const attempt = await outcomeOf(async () => stack.use(await plan()))
    for (const { challenged } of frozen) await challenged?.()
    let isRight = true
    for (const { isLookedRight } of frozen) isRight = ((await isLookedRight?.(signal)) ?? true) && isRight
    if (!isRight) continue
    if ('error' in attempt) throw attempt.error
    stack.move()
    return attempt.planned
  }
  const message = `Cannot look into the image: what was looked at moved in each of ${ROUNDS_MAX} rounds, required is that it stays in place for a moment, or --whole`
  throw new BackupError(ErrorCode.SourceChanged, message)
}

/** What cannot be made sense of may have been read where it lies no more, or on another disk. */
async function outcomeOf(
  plan: () => Promise<PlannedSources>,
): Promise<{ readonly planned: PlannedSources } | { readonly error: unknown }> {
  try {
    return { planned: await plan() }
  } catch (error) {
    return { error }
  }
}
