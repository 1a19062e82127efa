// Times of XFS inodes: signed seconds and nanoseconds, 32 bits each; or, with "bigtime", one unsigned 64-bit count
// of nanoseconds since the earliest of the former. Known from "XFS Algorithms & Data Structures", "Inode Timestamps".
import type { FileTime } from '../file-system.ts'

const NANOSECONDS_PER_SECOND = 1_000_000_000
/** The earliest time of 32 bits: 1901-12-13. */
const BIGTIME_EPOCH_SECONDS = -(2 ** 31)
const DIGIT = 2 ** 16

/** Nanoseconds that are none are read as 0: no kernel writes them, and no file should be lost for them. */
export function parseInodeTime(view: DataView, offset: number, isBigTime: boolean): FileTime {
  const high = view.getUint32(offset)
  const low = view.getUint32(offset + 4)
  if (isBigTime) return fromNanoseconds(high, low)
  return { seconds: high | 0, nanoseconds: low < NANOSECONDS_PER_SECOND ? low : 0 }
}

/** Long division in digits of 16 bits: the count itself leaves the safe integers, neither result does. */
function fromNanoseconds(high: number, low: number): FileTime {
  let seconds = Math.floor(high / NANOSECONDS_PER_SECOND)
  let rest = high % NANOSECONDS_PER_SECOND
  for (const digit of [Math.floor(low / DIGIT), low % DIGIT]) {
    const value = rest * DIGIT + digit
    seconds = seconds * DIGIT + Math.floor(value / NANOSECONDS_PER_SECOND)
    rest = value % NANOSECONDS_PER_SECOND
  }
  return { seconds: BIGTIME_EPOCH_SECONDS + seconds, nanoseconds: rest }
}
