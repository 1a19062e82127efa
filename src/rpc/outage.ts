import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Patience } from './patience.ts'

type Times = Pick<Patience, 'connectMs' | 'outageMs' | 'lastAttemptMs'>

/**
 * Whether an agent can be reached, as all calls over one connection have found out together: what one of them waited for
 * in vain, the next one does not wait for again.
 *
 *   reached ──a call finds nobody──▶ failing ──for `outageMs`──▶ given up
 *      ▲                               │                            │
 *      └────────── an answer ──────────┴────────────────────────────┘
 */
export class Outage {
  readonly #times: Times
  readonly #now: () => number
  #hasAnswered = false
  #isConnectionLost = false
  /** The first failure since the last answer, and the last one. */
  #sinceMs = 0
  #failure: { readonly error: BackupError; readonly atMs: number } | null = null
  #isOver = false
  #isHurried = false

  constructor(times: Times, now: () => number = () => performance.now()) {
    this.#times = times
    this.#now = now
  }

  /** It is known that nobody is there just now. */
  get isKnown(): boolean {
    return this.#failure !== null || this.#isConnectionLost
  }

  /** So long the next attempt to connect may take. */
  get connectMs(): number {
    const { connectMs, outageMs, lastAttemptMs } = this.#times
    if (this.#isOver || this.#isHurried) return Math.min(connectMs, lastAttemptMs)
    const leftMs = this.#failure === null ? connectMs : this.#sinceMs + outageMs - this.#now()
    return Math.min(connectMs, Math.max(leftMs, lastAttemptMs))
  }

  now(): number {
    return this.#now()
  }

  /** True when `outageMs` have passed since then. */
  hasLasted(sinceMs: number): boolean {
    return this.#now() - sinceMs >= this.#times.outageMs
  }

  /** Something has come from the agent, for whichever call. */
  end(): void {
    this.#hasAnswered = true
    this.#isConnectionLost = false
    this.#failure = null
    this.#isOver = false
    this.#isHurried = false
  }

  /** The connection broke, perhaps while nobody asked for anything. */
  connectionLost(): void {
    this.#isConnectionLost = true
  }

  /** A call has failed; only that nobody was there is of interest. */
  note(error: unknown): void {
    if (!isInterruption(error)) return
    const atMs = this.#now()
    // After a time in which nobody asked it is another outage, as far as anybody knows.
    const isNew = this.#failure === null || this.hasLasted(this.#failure.atMs + this.#times.connectMs)
    if (isNew) this.#sinceMs = atMs
    this.#failure = { error, atMs }
    this.#isOver = this.hasLasted(this.#sinceMs)
  }

  /** What is left to do is not worth waiting for: it is tried once, and shortly. */
  hurry(): void {
    this.#isHurried = true
  }

  /** Throws why the agent was given up, unless that is so long ago that it is worth another look. */
  requireHope(): void {
    if (this.#failure === null || !this.#isOver) return
    if (this.#now() - this.#failure.atMs < this.#times.connectMs) throw this.verdict(this.#failure.error)
  }

  /** True when it may help to ask again after `error`; an agent that never answered is not there. */
  mayPass(error: unknown): boolean {
    return this.#hasAnswered && isInterruption(error) && !this.#isOver && !this.#isHurried
  }

  /** What to throw for `error`: it says how long it was tried, where that is why it is thrown. */
  verdict(error: unknown): unknown {
    if (!this.#hasAnswered || !this.#isOver || !isInterruption(error)) return error
    const message = `${error.message}; it was tried again for ${this.#times.outageMs / 1000} s`
    const data = { ...error.data, isGivenUp: true }
    return new BackupError(ErrorCode.ConnectionFailed, message, { data, cause: error })
  }
}

/** True for a failure after which it is worth to ask again. */
function isInterruption(error: unknown): error is BackupError {
  if (!isBackupError(error, ErrorCode.ConnectionFailed)) return false
  return error.data['isSilent'] !== true && error.data['isGivenUp'] !== true
}
