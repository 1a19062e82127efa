import type { AuditLine, AuditLog } from './audit-log.ts'

/** More are not told apart. */
const SERIES_MAX = 1000

/** Calls that a mover makes by the thousand, all alike: what it reads, whether it may go on. */
const FREQUENT: ReadonlySet<string> = new Set([
  'ReadExtents',
  'WriteExtents',
  'GetLoad',
  'Renew',
  'GetStatus',
])
const INTERVAL_MS = 60_000

type Series = { last: AuditLine; count: number; durationMs: number }

/**
 * Notes every call in the audit log. Of frequent ones that are alike the first is noted at once, and the others of the same
 * minute as one line with their number, so that one backup does not push everything else out.
 */
export class CallNotes implements Disposable {
  readonly #log: Pick<AuditLog, 'write'>
  readonly #series = new Map<string, Series>()
  readonly #timer: NodeJS.Timeout

  constructor(log: Pick<AuditLog, 'write'>, intervalMs = INTERVAL_MS) {
    this.#log = log
    this.#timer = setInterval(() => this.flush(), intervalMs)
    this.#timer.unref()
  }

  note(line: AuditLine): void {
    if (line.outcome === 'failed' || !FREQUENT.has(line.method)) return this.#log.write(line)
    const [image = ''] = line.about.split(' ')
    const key = [line.method, line.serial, image].join(' ')
    const known = this.#series.get(key)
    if (known === undefined) {
      if (this.#series.size >= SERIES_MAX) this.flush()
      this.#log.write(line)
      this.#series.set(key, { last: line, count: 0, durationMs: 0 })
      return
    }
    known.last = line
    known.count += 1
    known.durationMs += line.durationMs
  }

  /** Writes what was not written yet, and begins anew. */
  flush(): void {
    for (const { last, count, durationMs } of this.#series.values()) {
      if (count > 0) this.#log.write({ ...last, calls: count, durationMs })
    }
    this.#series.clear()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.flush()
  }
}
