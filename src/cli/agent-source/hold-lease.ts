import { setTimeout } from 'node:timers/promises'
import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { Clock } from '../../domain/clock.ts'
import type { AgentApi } from '../../rpc/agent-api.ts'

/**
 * So long an agent is asked to hold images for a mover that says nothing more; it may grant less. Longer than a mover tries to reach
 * it again, and so short that the next run, which waits for the lease of a dead one, is not refused.
 */
export const LEASE_SECONDS = 180
/** Renewed that often within a lease, so that one answer that is late ends nothing. */
const RENEWALS_PER_LEASE = 5
/** And at least that often: who reads disks would else not notice for long that the agent is gone. */
const RENEW_MS_MAX = 30_000
const RETRY_MS_MAX = 5000

export type HeldLease = AsyncDisposable & {
  /** Aborted when the images are held no more, or when the agent is given up, with the reason. */
  readonly lost: AbortSignal
}

export type LeaseParts = {
  readonly groupId: string
  /** What the agent granted. */
  readonly leaseSeconds: number
  /** The agent's host, for the sentence. */
  readonly host: string
  readonly clock: Clock
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Renews the lease of a group until it is disposed of. */
export function holdLease(agent: Pick<AgentApi, 'renew'>, about: LeaseParts): HeldLease {
  const ended = new AbortController()
  const lost = new AbortController()
  const renewing = renewUntil(agent, about, ended.signal).catch((error: unknown) => {
    if (!ended.signal.aborted) lost.abort(error)
  })
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      ended.abort()
      await renewing
    },
  }
}

async function renewUntil(
  agent: Pick<AgentApi, 'renew'>,
  { groupId, leaseSeconds, host, clock, sleep = sleepInBackground }: LeaseParts,
  signal: AbortSignal,
): Promise<void> {
  let grantedMs = leaseSeconds * 1000
  let endsAtMs = clock.now().getTime() + grantedMs
  let waitMs = renewalMs(grantedMs)
  for (;;) {
    await sleep(waitMs, signal)
    const askedAtMs = clock.now().getTime()
    try {
      grantedMs = (await agent.renew({ groupId, leaseSeconds: LEASE_SECONDS }, signal)) * 1000
      endsAtMs = askedAtMs + grantedMs
      waitMs = renewalMs(grantedMs)
    } catch (error) {
      if (!isBackupError(error, ErrorCode.ConnectionFailed)) throw error
      // It was tried for as long as anything is: nobody else would wait for it either.
      if (error.data['isGivenUp'] === true) throw error
      if (clock.now().getTime() >= endsAtMs) throw leaseEnded({ host, seconds: grantedMs / 1000 }, error)
      waitMs = Math.min(RETRY_MS_MAX, renewalMs(grantedMs))
    }
  }
}

function renewalMs(grantedMs: number): number {
  return Math.min(grantedMs / RENEWALS_PER_LEASE, RENEW_MS_MAX)
}

/** What is left of a run does not wait for the next renewal. */
async function sleepInBackground(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal, ref: false })
}

function leaseEnded(
  { host, seconds }: { readonly host: string; readonly seconds: number },
  cause: BackupError,
): BackupError {
  const message = `Cannot go on: agent "${host}" has let go of the frozen images, because it was not reached for ${seconds} s: ${cause.message}`
  return new BackupError(ErrorCode.ConnectionFailed, message, { cause })
}
