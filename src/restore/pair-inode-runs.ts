import type { InodeRun } from '../formats/inode-map.ts'

/** Inodes that one or both of two file systems have at a place. */
export type PairedRun = InodeRun & { readonly isBefore: boolean; readonly isAfter: boolean }

/** Cuts two lists of runs, each ascending by place, where one begins or ends. */
export function* pairInodeRuns(
  { before, after }: { readonly before: readonly InodeRun[]; readonly after: readonly InodeRun[] },
  inodeSizeBytes: number,
): Generator<PairedRun> {
  const endOf = (run: InodeRun | undefined): number => startOf(run) + (run?.count ?? 0) * inodeSizeBytes
  let [first, second, position] = [0, 0, 0]
  for (;;) {
    const [one, other] = [before[first], after[second]]
    const start = Math.max(position, Math.min(startOf(one), startOf(other)))
    const isBefore = startOf(one) <= start
    const isAfter = startOf(other) <= start
    const from = isBefore ? one : other
    if (from === undefined) return
    position = Math.min(isBefore ? endOf(one) : startOf(one), isAfter ? endOf(other) : startOf(other))
    yield {
      firstNumber: from.firstNumber + (start - from.offsetBytes) / inodeSizeBytes,
      count: (position - start) / inodeSizeBytes,
      offsetBytes: start,
      isBefore,
      isAfter,
    }
    if (endOf(one) <= position) first += 1
    if (endOf(other) <= position) second += 1
  }
}

function startOf(run: InodeRun | undefined): number {
  return run?.offsetBytes ?? Infinity
}
