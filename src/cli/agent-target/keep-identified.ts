import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { Range } from '../../domain/range.ts'
import { monotonicMs, type WriteGate } from '../../lane/write-gate.ts'
import { TARGET_WRITE_MS } from '../../rpc/agent-api.ts'

/** Asked so often that writing never waits for an answer that is only slow. */
const INTERVAL_MS = TARGET_WRITE_MS / 4
const RETRY_MS = 1000
/** An agent that is not reached for so long is not waited for. */
const SILENT_MAX_MS = 60_000

/** What became of the map while it was written by. */
export type Watched = AsyncDisposable & {
  /** The target lies elsewhere now, or is being moved. */
  readonly isMoved: boolean
  /** Why nothing can be written any more; null when nothing is in the way. */
  readonly failure: { readonly error: unknown } | null
}

/**
 * Asks again and again whether the target lies where it did, and keeps the gate open as long as the answer vouches for it.
 * Gives it up when it does not.
 */
export function keepIdentified(
  parts: { readonly gate: WriteGate; readonly identify: (signal: AbortSignal) => Promise<readonly Range[]> },
  signal: AbortSignal,
): Watched {
  const ended = new AbortController()
  const state: { isMoved: boolean; failure: { readonly error: unknown } | null } = {
    isMoved: false,
    failure: null,
  }
  const either = AbortSignal.any([signal, ended.signal])
  const watching = watch(parts, state, either).catch((error: unknown) => {
    if (!ended.signal.aborted) state.failure = { error }
    parts.gate.giveUp()
  })
  return {
    get isMoved() {
      return state.isMoved
    },
    get failure() {
      return state.failure
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      await watching
    },
  }
}

async function watch(
  { gate, identify }: Parameters<typeof keepIdentified>[0],
  state: { isMoved: boolean },
  signal: AbortSignal,
): Promise<void> {
  let heardAtMs = monotonicMs()
  for (;;) {
    const askedAtMs = monotonicMs()
    let waitMs = INTERVAL_MS
    try {
      if ((await identify(signal)).length > 0) state.isMoved = true
      heardAtMs = monotonicMs()
    } catch (error) {
      if (isBackupError(error, ErrorCode.TargetChanged)) state.isMoved = true
      else if (!isBackupError(error, ErrorCode.ConnectionFailed)) throw error
      else if (monotonicMs() - heardAtMs > SILENT_MAX_MS) throw error
      waitMs = RETRY_MS
    }
    if (state.isMoved) {
      gate.giveUp()
      return
    }
    if (heardAtMs >= askedAtMs) gate.openUntil(askedAtMs + TARGET_WRITE_MS)
    await sleep(waitMs, undefined, { signal })
  }
}
