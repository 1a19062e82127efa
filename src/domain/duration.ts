const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Two units at most: `850 ms`, `3.2 s`, `2 min 05 s`, `1 h 12 min`, `3 d 4 h`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`
  if (milliseconds < 10 * SECOND_MS - 50) return `${(milliseconds / SECOND_MS).toFixed(1)} s`
  const rounded = Math.round(milliseconds / SECOND_MS) * SECOND_MS
  if (rounded < MINUTE_MS) return `${rounded / SECOND_MS} s`
  if (rounded < HOUR_MS) {
    return `${Math.floor(rounded / MINUTE_MS)} min ${twoDigits((rounded % MINUTE_MS) / SECOND_MS)} s`
  }
  if (rounded < DAY_MS) {
    return `${Math.floor(rounded / HOUR_MS)} h ${twoDigits(Math.floor((rounded % HOUR_MS) / MINUTE_MS))} min`
  }
  return `${Math.floor(rounded / DAY_MS)} d ${Math.floor((rounded % DAY_MS) / HOUR_MS)} h`
}

function twoDigits(value: number): string {
  return value.toString().padStart(2, '0')
}
