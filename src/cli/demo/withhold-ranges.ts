import type { Range } from '../../domain/range.ts'

/** A change list that lost much of what changed. */
export type WrongList = { readonly kept: readonly Range[]; readonly withheld: readonly Range[] }

/** Withholds the largest ranges until `share` of the bytes is missing; one range at least stays. */
export function withholdRanges(ranges: readonly Range[], share: number): WrongList {
  const wantedBytes = share * ranges.reduce((sum, range) => sum + range.length, 0)
  const withheld = new Set<Range>()
  let withheldBytes = 0
  for (const range of ranges.toSorted((a, b) => b.length - a.length).slice(0, -1)) {
    if (withheldBytes >= wantedBytes) break
    withheld.add(range)
    withheldBytes += range.length
  }
  return {
    kept: ranges.filter((range) => !withheld.has(range)),
    withheld: ranges.filter((range) => withheld.has(range)),
  }
}
