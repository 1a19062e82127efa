/** `2026-11-22 17:51`, by the clock on the wall of whoever reads it. */
export function formatLocalTime(instant: string, timeZone: string = Temporal.Now.timeZoneId()): string {
  const local = Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDateTime()
  return local.toString({ smallestUnit: 'minute' }).replace('T', ' ')
}
