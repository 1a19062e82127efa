import type { Clock } from '../domain/clock.ts'
import type { PaceRecord } from '../domain/ledger.ts'

export type PaceParts = {
  readonly clock: Clock
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Bytes a second; null for any. */
  readonly rateBytes: number | null
  /** So long until it may be read; 0 when it may be now. Null: at any time. */
  readonly waitMsAt: ((now: Date) => number) | null
  /** Null: the disks are not watched. */
  readonly latency: {
    readonly maxMs: number
    /** How long they took to answer lately; null where nothing was asked of them. */
    readonly measure: (signal: AbortSignal) => Promise<number | null>
  } | null
  readonly notice: (message: string) => void
}

/** Between two looks at the disks. */
const MEASURE_MS = 3000
/** Reads that are under way at once, in pieces: at the beginning, and how far that is cut down. */
const SLOTS_MAX = 64
/** When one read at a time is too much, there are pauses: the first, and the longest. */
const PAUSE_MIN_MS = 250
const PAUSE_MAX_MS = 30_000
/** So long a run waits without asking again what time it is. */
const WAIT_MAX_MS = 60_000

/**
 * Holds reads back: to a rate, to hours of the day, and while production waits for its disks. What is too slow halves what
 * is under way at once, down to one read and a pause after it; what is fast enough again doubles it.
 */
export class Pace {
  readonly #parts: PaceParts
  readonly #waiting: (() => void)[] = []
  #slots = SLOTS_MAX
  #taken = 0
  #pauseMs = 0
  #nextAtMs = 0
  #measuredAtMs = 0
  #measuring: Promise<void> | null = null
  #waitedMs = 0
  #slowdownCount = 0
  #latencySeenMs: number | null = null
  #isPausing = false

  constructor(parts: PaceParts) {
    this.#parts = parts
  }

  record(): PaceRecord {
    const { latency, rateBytes } = this.#parts
    return {
      latencyMaxMs: latency?.maxMs ?? null,
      slowdownCount: this.#slowdownCount,
      latencySeenMs: this.#latencySeenMs === null ? null : Math.ceil(this.#latencySeenMs),
      rateBytes,
      waitedMs: Math.round(this.#waitedMs),
    }
  }

  /** Waits until so many bytes may be read; the read is over when what it gives is disposed of. */
  async enter(bytes: number, signal: AbortSignal): Promise<Disposable> {
    const startedAtMs = this.#now()
    this.#measureWhenDue(signal)
    await this.#slot(signal)
    let isOver = false
    const leave = (): void => {
      if (isOver) return
      isOver = true
      this.#taken -= 1
      this.#wake()
    }
    try {
      await this.untilHours(signal)
      if (this.#pauseMs > 0) await this.#parts.sleep(this.#pauseMs, signal)
      await this.#untilRate(bytes, signal)
    } catch (error) {
      leave()
      throw error
    }
    this.#waitedMs += this.#now() - startedAtMs
    return { [Symbol.dispose]: leave }
  }

  /** Waits for the hours in which it may be read. */
  async untilHours(signal: AbortSignal): Promise<void> {
    const { waitMsAt, clock, sleep, notice } = this.#parts
    if (waitMsAt === null) return
    for (;;) {
      const waitMs = waitMsAt(clock.now())
      if (waitMs <= 0) break
      if (!this.#isPausing) notice(`Waiting ${Math.ceil(waitMs / 60_000)} minutes for the hours to read in`)
      this.#isPausing = true
      await sleep(Math.min(waitMs, WAIT_MAX_MS), signal)
    }
    this.#isPausing = false
  }

  async #slot(signal: AbortSignal): Promise<void> {
    while (this.#taken >= this.#slots) {
      signal.throwIfAborted()
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
      await promise
    }
    this.#taken += 1
  }

  #wake(): void {
    this.#waiting.shift()?.()
  }

  /** Bytes are paid for before they are read: who comes next waits for them. */
  async #untilRate(bytes: number, signal: AbortSignal): Promise<void> {
    const { rateBytes, sleep } = this.#parts
    if (rateBytes === null) return
    const now = this.#now()
    const begin = Math.max(now, this.#nextAtMs)
    this.#nextAtMs = begin + (bytes / rateBytes) * 1000
    if (begin > now) await sleep(begin - now, signal)
  }

  #measureWhenDue(signal: AbortSignal): void {
    const { latency } = this.#parts
    if (latency === null || this.#measuring !== null || this.#now() - this.#measuredAtMs < MEASURE_MS) return
    this.#measuring = latency
      .measure(signal)
      .then((latencyMs) => this.#adjust(latencyMs, latency.maxMs))
      .catch(() => {}) // An agent that is gone is found out by who reads or identifies.
      .finally(() => {
        this.#measuredAtMs = this.#now()
        this.#measuring = null
      })
  }

  #adjust(latencyMs: number | null, maxMs: number): void {
    if (latencyMs !== null) this.#latencySeenMs = Math.max(this.#latencySeenMs ?? 0, latencyMs)
    if (latencyMs !== null && latencyMs > maxMs) {
      if (this.#slowdownCount === 0)
        this.#parts.notice(
          `Slowing down: the disks take ${latencyMs.toFixed(1)} ms to answer, above ${maxMs} ms`,
        )
      this.#slowdownCount += 1
      if (this.#slots > 1) this.#slots = Math.floor(this.#slots / 2)
      else this.#pauseMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, this.#pauseMs * 2))
      return
    }
    if (this.#pauseMs > 0) this.#pauseMs = this.#pauseMs > PAUSE_MIN_MS ? this.#pauseMs / 2 : 0
    else this.#slots = Math.min(SLOTS_MAX, this.#slots * 2)
    for (let free = this.#slots - this.#taken; free > 0; free -= 1) this.#wake()
  }

  #now(): number {
    return this.#parts.clock.now().getTime()
  }
}
