import type { FrozenPart, FrozenSource } from '../freeze/frozen-source.ts'

/** Within that time from the challenge to the first read nothing is asked again. */
const FRESH_MS = 60_000

type Sources = ReadonlyMap<string, FrozenSource>
type Challenge = NonNullable<FrozenPart['challenge']>

/** To be disposed of before what the sources are read from: then nothing is being read any more. */
export type ChallengedSources = AsyncDisposable & { readonly sources: Sources }

/**
 * Begins to challenge sources, one after the other, whose disks may be others, while they are looked at already: of that
 * nothing is to be believed before `challenged()` has ended, which throws CHALLENGE_FAILED. The mover asks once more before
 * it reads, which is usually a moment later; then it gets that answer, once.
 */
export function challengeFirst(
  sources: Sources,
  signal: AbortSignal,
  nowMs: () => number = () => performance.now(),
): ChallengedSources {
  const ended = new AbortController()
  const either = AbortSignal.any([signal, ended.signal])
  let last = Promise.resolve(0)
  const inTurn = (challenge: Challenge): Promise<number> => {
    last = last.then(() => challenge(either))
    last.catch(() => {}) // Also when the run ends before anybody asks.
    return last
  }
  return {
    sources: new Map(sources.entries().map(([name, source]) => [name, begin(source, { inTurn, nowMs })])),
    [Symbol.asyncDispose]: async () => {
      ended.abort()
      await last.catch(() => {})
    },
  }
}

function begin(
  source: FrozenSource,
  how: { readonly inTurn: (challenge: Challenge) => Promise<number>; readonly nowMs: () => number },
): FrozenSource {
  const { inTurn, nowMs } = how
  const { challenge } = source.frozen
  if (challenge === undefined) return source
  let passedAt = 0
  let isUsed = false
  const first = inTurn(async (signal) => {
    const count = await challenge(signal)
    passedAt = nowMs()
    return count
  })
  const frozen: FrozenPart = {
    ...source.frozen,
    challenged: async () => void (await first),
    challenge: async (now) => {
      const count = await first
      const isFresh = !isUsed && nowMs() - passedAt < FRESH_MS
      isUsed = true
      return isFresh ? count : await challenge(now)
    },
  }
  return { ...source, frozen }
}
