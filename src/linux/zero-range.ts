import assert from 'node:assert/strict'
import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { endOf, type Range } from '../domain/range.ts'
import { allocateAligned } from './aligned-memory.ts'
import { errnoOf } from '../domain/errno.ts'
import { syscalls } from './syscalls.ts'

/** How a range was made zero: its space given back, by the kernel or the device, or by writing zeros. */
export type ZeroMethod = 'punched' | 'zeroed' | 'written'

export type ZeroOptions = {
  readonly kind: 'file' | 'device'
  /** Give the space back where that leaves zeros: a hole in a file, a discard on a device. */
  readonly discard: boolean
  readonly signal?: AbortSignal
}

const ZEROS_BYTES = 1024 * 1024
/** One call into the kernel zeroes at most this much, since a device without a command for it is written. */
const SLICE_BYTES = 256 * 1024 * 1024

let zeros: Uint8Array | undefined

/**
 * Makes `range` read as zeros, slice by slice, with other work in between; returns the weakest method that was
 * needed. On a device and under direct I/O the range must be aligned to sectors. A file keeps its size unless
 * zeros had to be written beyond its end. Throws the system's error.
 */
export async function zeroRange(fd: number, range: Range, options: ZeroOptions): Promise<ZeroMethod> {
  const methods = new Set<ZeroMethod>()
  for (let offset = range.offset; offset < endOf(range); offset += SLICE_BYTES) {
    options.signal?.throwIfAborted()
    methods.add(zeroRangeSync(fd, { offset, length: Math.min(SLICE_BYTES, endOf(range) - offset) }, options))
    await setImmediate()
  }
  if (methods.has('written')) return 'written'
  return methods.has('zeroed') ? 'zeroed' : 'punched'
}

/** As `zeroRange`, in one go, for a thread that does nothing else. */
export function zeroRangeSync(fd: number, range: Range, options: ZeroOptions): ZeroMethod {
  assert(range.length > 0)
  const kernel = syscalls()
  if (kernel !== null) {
    if (options.discard && isDone(() => kernel.punchHole(fd, range))) return 'punched'
    // In a file this makes unwritten extents: right where the space is to be kept, and no better than writing
    // where a hole was wanted and refused.
    const wantsZeroing = options.kind === 'device' || !options.discard
    if (wantsZeroing && isDone(() => kernel.zeroRange(fd, range))) return 'zeroed'
  }
  writeZeros(fd, range)
  return 'written'
}

/** False when the system cannot do it here, and another way must be taken; other failures are thrown. */
function isDone(action: () => void): boolean {
  try {
    action()
    return true
  } catch (error) {
    // Node calls EOPNOTSUPP, which is what a disk without such a command has, by the other name of its number.
    if (['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EPERM', 'ENODEV'].includes(errnoOf(error) ?? ''))
      return false
    throw error
  }
}

function writeZeros(fd: number, range: Range): void {
  zeros ??= allocateAligned(ZEROS_BYTES) // Page-aligned for direct I/O, and never written to.
  let offset = range.offset
  while (offset < endOf(range)) {
    offset += writeSync(fd, zeros, 0, Math.min(ZEROS_BYTES, endOf(range) - offset), offset)
  }
}
