import * as v from 'valibot'

/** A moment as ISO 8601 writes it, and one that there was: the pattern alone lets the 30th of February pass. */
export const instantSchema = v.pipe(
  v.string(),
  v.isoTimestamp(),
  v.check(isInstant, 'expected a moment that exists'),
)

function isInstant(text: string): boolean {
  try {
    Temporal.Instant.from(text)
    return true
  } catch {
    return false
  }
}
