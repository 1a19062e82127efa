/** A share as a percentage with three significant digits; what is not nothing never looks like nothing. */
export function formatShare(share: number): string {
  const percent = share * 100
  if (percent === 0) return '0%'
  if (percent < 0.0001) return 'less than 0.0001%'
  return `${Number(percent.toPrecision(3))}%`
}
