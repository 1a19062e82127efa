import { ENOSYS } from '../domain/errno.ts'
import type { FileExtent } from '../domain/file-clone.ts'
import { endOf, type Range } from '../domain/range.ts'
import { cloneCalls } from './clone-calls.ts'
import { askFiemap, FIEMAP_EXTENT_BYTES, FIEMAP_HEADER_BYTES, parseFiemap } from './fiemap-reply.ts'
import { systemError } from './syscalls.ts'

/** 230 KB a call at most, however many extents a file has. */
const EXTENTS_PER_CALL_MAX = 4096
const EXTENTS_PER_CALL_MIN = 64
/** The kernel holds locks of the file during a call, and a cancelled walk waits for it. */
const CALL_MS_MAX = 20

/**
 * The extents of `range` of an open file, as its file system tells them, ascending, with gaps where there are holes.
 * Memory does not grow with their number. Throws the system's error, RangeError for a reply that cannot be.
 */
export async function* fiemapOf(
  fd: number,
  range: Range,
  signal: AbortSignal,
): AsyncGenerator<readonly FileExtent[], void, undefined> {
  const calls = cloneCalls()
  if (calls === null) throw systemError('ioctl', ENOSYS)
  const buffer = new Uint8Array(FIEMAP_HEADER_BYTES + EXTENTS_PER_CALL_MAX * FIEMAP_EXTENT_BYTES)
  let extentCount = EXTENTS_PER_CALL_MIN * 4
  let position = range.offset
  const end = endOf(range)
  while (position < end) {
    signal.throwIfAborted()
    const rest = { offset: position, length: end - position }
    const startMs = performance.now()
    askFiemap(buffer, rest, { extentCount })
    await calls.fiemap(fd, buffer)
    const { extents, isLast } = parseFiemap(buffer, rest)
    if (extents.length > 0) yield extents
    const last = extents.at(-1)
    if (isLast || last === undefined) return
    position = endOf(last)
    extentCount = nextCount(extentCount, performance.now() - startMs)
  }
}

/** Twice as many while that is fast, half as many when it was slow: Btrfs looks up who shares each extent. */
function nextCount(extentCount: number, callMs: number): number {
  if (callMs > CALL_MS_MAX) return Math.max(EXTENTS_PER_CALL_MIN, Math.floor(extentCount / 2))
  return callMs < CALL_MS_MAX / 4 ? Math.min(EXTENTS_PER_CALL_MAX, extentCount * 2) : extentCount
}
