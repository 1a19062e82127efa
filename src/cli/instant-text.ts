import { formatLocalTime } from './local-time.ts'

/** As scripts read it: ISO 8601 in UTC. */
export function instantOf(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toString()
}

/** As people read it. */
export function localTimeOf(ms: number): string {
  return formatLocalTime(instantOf(ms))
}

/** The day alone, where the minute says nothing. */
export function dateOf(ms: number): string {
  return localTimeOf(ms).slice(0, 10)
}
