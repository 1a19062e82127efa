import { type Clock, systemClock } from '../../src/domain/clock.ts'

const DAY_MS = 86_400_000

/** A clock that stands still, so many days from now. */
export function clockAt(days: number): Clock {
  const atMs = systemClock.now().getTime() + days * DAY_MS
  return {
    now: () => {
      const now = systemClock.now()
      now.setTime(atMs)
      return now
    },
  }
}
