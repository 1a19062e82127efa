import { setTimeout as sleep } from 'node:timers/promises'
import { Pace } from '../mover/pace.ts'
import type { BACKUP } from './commands/backup.ts'
import type { InvocationOf } from './invocation.ts'
import type { HoursOfDay } from './option-values.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60

/** What the options hold the run back to; null when nothing does. */
export function paceOf(
  { options, clock, progress }: Pick<InvocationOf<typeof BACKUP>, 'options' | 'clock' | 'progress'>,
  load: ((signal: AbortSignal) => Promise<number | null>) | undefined,
): Pace | null {
  const { limitRate, hours, latencyMax } = options
  if (limitRate === undefined && hours === undefined && latencyMax === undefined) return null
  const isWatched = latencyMax !== undefined && load !== undefined
  return new Pace({
    clock,
    sleep: sleepUntilAborted,
    rateBytes: limitRate ?? null,
    waitMsAt: hours === undefined ? null : (now) => msUntil(hours, now),
    latency: isWatched ? { maxMs: latencyMax, measure: load } : null,
    notice: (message) => progress({ event: 'notice', message }),
  })
}

/** Throws the reason of the signal, as everything else of a run does: Node.js throws one of its own in its place. */
export async function sleepUntilAborted(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

/** 0 within the hours, else how long until they begin; by the clock on the wall, also on a day that has 23 or 25 hours. */
export function msUntil({ fromMinute, toMinute }: HoursOfDay, now: Date): number {
  const minute = now.getHours() * 60 + now.getMinutes()
  const isWithin =
    fromMinute < toMinute
      ? minute >= fromMinute && minute < toMinute
      : minute >= fromMinute || minute < toMinute
  if (isWithin) return 0
  const minutes = (fromMinute - minute + DAY_MINUTES) % DAY_MINUTES
  return minutes * MINUTE_MS - now.getSeconds() * 1000 - now.getMilliseconds()
}
