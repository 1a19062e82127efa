import { setTimeout } from 'node:timers/promises'
import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { Clock } from '../../domain/clock.ts'
import type { AgentApi } from '../../rpc/agent-api.ts'

/** So long an agent holds images for a mover that says nothing more. */
export const LEASE_SECONDS = 300
/** Renewed that often within a lease, so that a network that is gone for a minute ends nothing. */
const RENEWALS_PER_LEASE = 5
const RETRY_MS = 5000

export type HeldLease = AsyncDisposable & {
  /** Aborted when the images are held no more, with the reason. */
  readonly lost: AbortSignal
}

export type LeaseParts = {
  readonly groupId: string
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
  { groupId, host, clock, sleep = sleepInBackground }: LeaseParts,
  signal: AbortSignal,
): Promise<void> {
  let endsAtMs = clock.now().getTime() + LEASE_SECONDS * 1000
  let waitMs = (LEASE_SECONDS * 1000) / RENEWALS_PER_LEASE
  for (;;) {
    await sleep(waitMs, signal)
    const askedAtMs = clock.now().getTime()
    try {
      await agent.renew({ groupId, leaseSeconds: LEASE_SECONDS }, signal)
      endsAtMs = askedAtMs + LEASE_SECONDS * 1000
      waitMs = (LEASE_SECONDS * 1000) / RENEWALS_PER_LEASE
    } catch (error) {
      if (!isBackupError(error, ErrorCode.ConnectionFailed)) throw error
      if (clock.now().getTime() >= endsAtMs) throw leaseEnded(host, error)
      waitMs = RETRY_MS
    }
  }
}

/** What is left of a run does not wait for the next renewal. */
async function sleepInBackground(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal, ref: false })
}

function leaseEnded(host: string, cause: BackupError): BackupError {
  const message = `Cannot go on: agent "${host}" has let go of the frozen images, because it was not reached for ${LEASE_SECONDS} s: ${cause.message}`
  return new BackupError(ErrorCode.ConnectionFailed, message, { cause })
}
