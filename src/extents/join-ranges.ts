import { endOf, type Range } from '../domain/range.ts'

/** Two ranges that touch are one. */
export function joinRanges(last: Range, next: Range): Range | null {
  return endOf(last) === next.offset ? { offset: last.offset, length: last.length + next.length } : null
}
