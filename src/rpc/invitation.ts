import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import { isSame, proofOf } from './enrolment-token.ts'

/** A person types it once or pastes it; more is somebody who guesses. */
const WRONG_MAX = 5

/**
 * An invitation is always in one state:
 *
 *   open ──▶ taking ──▶ taken
 *    │ ▲        │
 *    │ └────────┘ what was asked for could not be signed
 *    └──▶ void     tried too often, or expired
 */
type State = 'open' | 'taking' | 'taken' | 'void'

/** One agent may take it, once, with the token's secret, in time. */
export class Invitation {
  readonly #secret: Uint8Array
  readonly #expiresAtMs: number
  readonly #clock: Clock
  #state: State = 'open'
  #wrongCount = 0

  constructor(parts: { readonly secret: Uint8Array; readonly expiresAtMs: number; readonly clock: Clock }) {
    this.#secret = parts.secret
    this.#expiresAtMs = parts.expiresAtMs
    this.#clock = parts.clock
  }

  /** Nobody can take it any more, and nobody has. */
  get isVoid(): boolean {
    return this.#state === 'void'
  }

  /** Signs by `issue` when the proof is right. Throws ENROLMENT_REFUSED, or what `issue` throws. */
  async take<Issued>(
    asked: { readonly signingRequest: Uint8Array; readonly proof: Uint8Array },
    issue: (signingRequest: Uint8Array) => Promise<Issued>,
  ): Promise<Issued> {
    this.#requireOpen()
    if (!isSame(proofOf(this.#secret, asked.signingRequest), asked.proof)) throw this.#wrong()
    // From here on nobody else may, also while this one waits.
    this.#state = 'taking'
    try {
      const issued = await issue(asked.signingRequest)
      this.#state = 'taken'
      return issued
    } finally {
      if (this.#state === 'taking') this.#state = 'open'
    }
  }

  #requireOpen(): void {
    if (this.#state === 'open' && this.#clock.now().getTime() >= this.#expiresAtMs) this.#state = 'void'
    if (this.#state === 'open') return
    throw refused(
      this.#state === 'void'
        ? 'the invitation has expired, or was tried too often with a wrong token'
        : 'the invitation was taken already',
    )
  }

  #wrong(): BackupError {
    this.#wrongCount += 1
    if (this.#wrongCount >= WRONG_MAX) this.#state = 'void'
    return refused('the token is not that of this invitation')
  }
}

function refused(why: string): BackupError {
  return new BackupError(ErrorCode.EnrolmentRefused, `Cannot enrol this host: ${why}`)
}
