import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { FrozenChosen } from '../host/freeze-chosen.ts'
import type { AgentImage } from './agent-image.ts'

/** What could not be released is tried again so often. */
const RETRY_MS = 30_000
const RETRIES_MAX = 20

export type AgentGroupParts = {
  readonly id: string
  /** What is frozen, by where it leads to. */
  readonly keys: readonly string[]
  readonly images: readonly AgentImage[]
  readonly frozen: FrozenChosen
  /** Aborts what is done with the images, with the reason. */
  readonly ended: AbortController
  /** Called when its lease has ended and it was released. */
  readonly onExpired: (group: AgentGroup) => void
  readonly notice: (message: string) => void
}

/**
 * Images that were frozen in one moment, held for a mover until it releases them or says nothing for the time of its lease:
 *
 *   held ──▶ released
 *     └────▶ lost ──▶ released
 *
 * Every call that names it, or an image of it, begins its lease anew.
 */
export class AgentGroup {
  readonly #parts: AgentGroupParts
  #leaseMs: number
  #timer: NodeJS.Timeout | undefined
  #leaseEndsAt = 0
  #released: Promise<void> | null = null

  constructor(parts: AgentGroupParts, leaseSeconds: number) {
    this.#parts = parts
    this.#leaseMs = leaseSeconds * 1000
    this.touch()
    const { lost } = parts.frozen
    const onLost = (): void => {
      parts.ended.abort(lost.reason)
      // Whoever gives the images up cannot remove what is still open.
      this.#closeImages().catch(() => {})
    }
    lost.addEventListener('abort', onLost, { once: true })
    if (lost.aborted) onLost()
  }

  get id(): string {
    return this.#parts.id
  }

  get keys(): readonly string[] {
    return this.#parts.keys
  }

  get images(): readonly AgentImage[] {
    return this.#parts.images
  }

  /** On the clock of `performance.now()`. */
  get leaseEndsAt(): number {
    return this.#leaseEndsAt
  }

  renew(leaseSeconds: number): void {
    this.#parts.ended.signal.throwIfAborted()
    this.#leaseMs = leaseSeconds * 1000
    this.touch()
  }

  /** Somebody has asked for something: the mover is there. */
  touch(): void {
    if (this.#released !== null) return
    clearTimeout(this.#timer)
    this.#leaseEndsAt = performance.now() + this.#leaseMs
    this.#timer = setTimeout(() => this.#expire(), this.#leaseMs)
    this.#timer.unref()
  }

  async keep(pointId: string, signal: AbortSignal): Promise<void> {
    this.#parts.ended.signal.throwIfAborted()
    this.touch()
    await this.#parts.frozen.keep(pointId, signal)
  }

  /** Releases what is not kept; the second time it waits for the first. Throws what stood in the way. */
  release(): Promise<void> {
    clearTimeout(this.#timer)
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<void> {
    const { ended, frozen } = this.#parts
    ended.abort(missing(this.id))
    // What is still open would keep the system from removing it.
    await this.#closeImages()
    try {
      await frozen[Symbol.asyncDispose]()
    } catch (error) {
      this.#releaseAgain().catch(() => {})
      throw error
    }
  }

  async #closeImages(): Promise<void> {
    for (const image of this.images) await image[Symbol.asyncDispose]()
  }

  /** Something has an image open, or a tool is busy: that goes by. What is left then, the agent's next start releases. */
  async #releaseAgain(): Promise<void> {
    const { signal } = new AbortController()
    const left = this.#parts.frozen.images().filter(({ image }) => image.held.use.kind === 'run')
    for (let attempt = 0; attempt < RETRIES_MAX; attempt += 1) {
      await sleep(RETRY_MS, undefined, { ref: false })
      const done = await Promise.allSettled(
        left.map(({ provider, image }) => provider.release(image.held, signal)),
      )
      if (done.every(({ status }) => status === 'fulfilled')) return
    }
  }

  #expire(): void {
    const { notice, onExpired } = this.#parts
    const sources = this.images.map(({ parts }) => parts.source).join(', ')
    notice(
      `Nothing was heard for ${this.#leaseMs / 1000} s of the mover of ${sources}: its images are released`,
    )
    this.release()
      .catch((error: unknown) => notice(`Cannot release the images of ${sources}: ${String(error)}`))
      .finally(() => onExpired(this))
  }
}

/** What whoever asks for an image or group is told that is held no more, for whatever reason. */
export function missing(id: string): BackupError {
  const message = `Cannot find frozen image "${id.slice(0, 100)}": this agent does not hold it; it was released, its lease ended, or the agent was restarted`
  return new BackupError(ErrorCode.ImageMissing, message)
}
