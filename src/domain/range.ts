/** A run of bytes: `offset` and `length` in bytes, both safe integers, `length` at least 1. */
export type Range = { readonly offset: number; readonly length: number }

/** Ranges ascending, not overlapping, in arrays of a few thousand, so that no step of a stream costs much. */
export type RangeBatch = readonly Range[]

/** The byte after the last one. */
export function endOf(range: Range): number {
  return range.offset + range.length
}
