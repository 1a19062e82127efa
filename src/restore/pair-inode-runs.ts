import type { InodeRun } from '../formats/inode-map.ts'

/** Inodes that one or both of two file systems have at a place. */
export type PairedRun = InodeRun & { readonly isBefore: boolean; readonly isAfter: boolean }

/** Cuts two lists of runs, each ascending by place, where one begins or ends. */
export function* pairInodeRuns(
  { before, after }: { readonly before: readonly InodeRun[]; readonly after: readonly InodeRun[] },
  inodeSizeBytes: number,
): Generator<PairedRun> {
  const endOfRun = ({ offsetBytes, count }: InodeRun): number => offsetBytes + count * inodeSizeBytes
  let [first, second, position] = [0, 0, 0]
  for (;;) {
    const [one, other] = [before[first], after[second]]
    const nearer = (one?.offsetBytes ?? Infinity) <= (other?.offsetBytes ?? Infinity) ? one : other
    if (nearer === undefined) return
    const start = Math.max(position, nearer.offsetBytes)
    const isBefore = one !== undefined && one.offsetBytes <= start
    const isAfter = other !== undefined && other.offsetBytes <= start
    const ends = [
      one === undefined ? Infinity : isBefore ? endOfRun(one) : one.offsetBytes,
      other === undefined ? Infinity : isAfter ? endOfRun(other) : other.offsetBytes,
    ]
    position = Math.min(...ends)
    const from = isBefore ? one : nearer
    yield {
      firstNumber: from.firstNumber + (start - from.offsetBytes) / inodeSizeBytes,
      count: (position - start) / inodeSizeBytes,
      offsetBytes: start,
      isBefore,
      isAfter,
    }
    if (one !== undefined && endOfRun(one) <= position) first += 1
    if (other !== undefined && endOfRun(other) <= position) second += 1
  }
}
