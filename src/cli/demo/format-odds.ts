const ODDS_MAX = 1e15

/** A chance as people say it: `1 time in 7,300,000`. */
export function formatOdds(probability: number): string {
  if (probability >= 0.1) return `${Math.round(probability * 100)} times in 100`
  const times = 1 / probability
  if (!(times < ODDS_MAX)) return 'practically never'
  const rounded = Number(times.toPrecision(2))
  return `1 time in ${rounded.toLocaleString('en-US')}`
}
