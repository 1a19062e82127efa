import { setImmediate } from 'node:timers/promises'
import { endOf, type Range, type RangeBatch } from '../domain/range.ts'
import { errnoOf } from '../domain/errno.ts'
import { syscalls, type Syscalls } from './syscalls.ts'

const RANGES_PER_BATCH = 2048
/** A seek may read metadata from the disk: other work gets its turn at least this often. */
const BUSY_MS_MAX = 10
/** Between looks at the clock, which costs as much as a seek in memory. */
const SEEKS_PER_LOOK = 64

/**
 * The ranges within `range` that the file system says hold data, ascending; the rest are holes. Everything is
 * data where it cannot be asked (no native library, a file system without SEEK_DATA).
 */
export async function* dataRangesOf(
  fd: number,
  range: Range,
  signal: AbortSignal,
): AsyncGenerator<RangeBatch, void, undefined> {
  const kernel = syscalls()
  if (kernel === null || !canSeekData(kernel, fd, range.offset)) {
    yield [range]
    return
  }
  let position: number | null = range.offset
  while (position !== null) {
    signal.throwIfAborted()
    const batch: Range[] = []
    position = collect({ kernel, fd, end: endOf(range) }, position, batch)
    if (batch.length > 0) yield batch
    await setImmediate()
  }
}

type Walk = { readonly kernel: Syscalls; readonly fd: number; readonly end: number }

/** Adds ranges to `batch` until it is full or time is up; returns where to go on, null at the end. */
function collect(walk: Walk, from: number, batch: Range[]): number | null {
  const startMs = performance.now()
  let position = from
  while (batch.length < RANGES_PER_BATCH) {
    const start = walk.kernel.seekData(walk.fd, position)
    if (start === null || start >= walk.end) return null
    // A file that became shorter has no hole here: what is missing is noticed when it is read.
    const end = Math.min(walk.kernel.seekHole(walk.fd, start) ?? walk.end, walk.end)
    batch.push({ offset: start, length: end - start })
    if (end === walk.end) return null
    position = end
    if (batch.length % SEEKS_PER_LOOK === 0 && performance.now() - startMs > BUSY_MS_MAX) break
  }
  return position
}

function canSeekData(kernel: Syscalls, fd: number, offset: number): boolean {
  try {
    kernel.seekData(fd, offset)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EINVAL' || errnoOf(error) === 'EOPNOTSUPP') return false
    throw error
  }
}
