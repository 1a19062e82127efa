import type { FrozenSource } from '../freeze/frozen-source.ts'

/** Within that time from the challenge to the first read nothing is asked again. */
const FRESH_MS = 60_000

/**
 * Challenges a source before anything of it is looked at: its disk may be another one. The mover asks before it reads, which
 * is usually a moment later; then it gets that answer, once. Throws CHALLENGE_FAILED.
 */
export async function challengeFirst(
  source: FrozenSource,
  signal: AbortSignal,
  nowMs: () => number = () => performance.now(),
): Promise<FrozenSource> {
  const { frozen } = source
  const { challenge } = frozen
  if (challenge === undefined) return source
  const count = await challenge(signal)
  const passedAt = nowMs()
  let isUsed = false
  return {
    ...source,
    frozen: {
      ...frozen,
      challenge: async (now) => {
        const isFresh = !isUsed && nowMs() - passedAt < FRESH_MS
        isUsed = true
        return isFresh ? count : await challenge(now)
      },
    },
  }
}
