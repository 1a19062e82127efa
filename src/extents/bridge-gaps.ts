import { endOf, type Range } from '../domain/range.ts'

/**
 * At most `countMax` of ascending ranges that cover them: bridges gaps of up to `gapBytes`, and of four times as much again and
 * again, until there are few enough.
 */
export function bridgeGaps(
  ranges: readonly Range[],
  { countMax, gapBytes }: { readonly countMax: number; readonly gapBytes: number },
): readonly Range[] {
  let few = ranges
  for (let gap = gapBytes; few.length > countMax; gap *= 4) few = bridged(few, gap)
  return few
}

/** Adds a range behind the others, joined to the last of them over a gap of up to `gapBytes`. */
export function pushBridged(ranges: Range[], range: Range, gapBytes: number): void {
  const last = ranges.at(-1)
  if (last === undefined || range.offset - endOf(last) > gapBytes) ranges.push(range)
  else ranges[ranges.length - 1] = { offset: last.offset, length: endOf(range) - last.offset }
}

function bridged(ranges: readonly Range[], gapBytes: number): readonly Range[] {
  const out: Range[] = []
  for (const range of ranges) pushBridged(out, range, gapBytes)
  return out
}
