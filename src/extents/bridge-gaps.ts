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

function bridged(ranges: readonly Range[], gapBytes: number): readonly Range[] {
  const out: Range[] = []
  for (const range of ranges) {
    const last = out.at(-1)
    if (last !== undefined && range.offset - endOf(last) <= gapBytes) {
      out[out.length - 1] = { offset: last.offset, length: endOf(range) - last.offset }
    } else out.push(range)
  }
  return out
}
