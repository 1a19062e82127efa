import type { FileTime } from '../file-system.ts'

const NANOSECONDS_MAX = 999_999_999
const TWO_TO_32 = 2 ** 32

/**
 * A time of the first 128 bytes is signed; the extra word, where there is one, has two more bits of seconds and 30
 * bits of nanoseconds ("Inode Timestamps" of the kernel's document). The seconds end in 2446.
 */
export function parseInodeTime(seconds: number, extra: number): FileTime {
  return {
    seconds: (seconds | 0) + (extra & 3) * TWO_TO_32,
    // 30 bits hold a little more than a second has; the kernel would hand that on, and utimensat() refuse it.
    nanoseconds: Math.min(extra >>> 2, NANOSECONDS_MAX),
  }
}
