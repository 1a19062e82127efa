/** `2027-01-31 17:04 UTC`: the same in the logs of both hosts. */
export function dateOf(atMs: number): string {
  const text = Temporal.Instant.fromEpochMilliseconds(Math.round(atMs)).toString({ smallestUnit: 'minute' })
  return text.replace('T', ' ').replace('Z', ' UTC')
}
