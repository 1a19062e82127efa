import type { VarintReader, VarintWriter } from '../../bytes/varint.ts'
import type { FileTime } from '../file-system.ts'

const SECOND = 1_000_000_000
/** Nearer than this, the nanoseconds between two times are a safe integer. */
const NEAR_SECONDS = 4_000_000
const TAG_BITS = 2
const NEGATIVE = 1
const FAR = 2

/**
 * A time as its distance from another: in nanoseconds where it is near (46 days); else in seconds, and then the
 * nanoseconds as they are. Times of one file, and of files made together, take a few bytes each.
 */
export function writeTime(writer: VarintWriter, time: FileTime, from: FileTime): void {
  const seconds = time.seconds - from.seconds
  const isNear = Math.abs(seconds) < NEAR_SECONDS
  const distance = isNear ? seconds * SECOND + time.nanoseconds - from.nanoseconds : seconds
  const sign = distance < 0 ? NEGATIVE : 0
  const value = distance < 0 ? -distance - 1 : distance
  writer.writeTagged(value, { bits: TAG_BITS, value: sign | (isNear ? 0 : FAR) })
  if (!isNear) writer.writeUnsigned(time.nanoseconds)
}

/** Throws SyntaxError for what is no time. */
export function readTime(reader: VarintReader, from: FileTime): FileTime {
  const value = reader.readTagged(TAG_BITS)
  const { tag } = reader
  const distance = (tag & NEGATIVE) === 0 ? value : -value - 1
  if ((tag & FAR) !== 0) {
    const seconds = from.seconds + distance
    const nanoseconds = reader.readUnsigned()
    if (!Number.isSafeInteger(seconds) || nanoseconds >= SECOND) {
      throw new SyntaxError(
        `time is ${seconds} s and ${nanoseconds} ns, expected less than 1 s of nanoseconds`,
      )
    }
    return { seconds, nanoseconds }
  }
  const total = from.nanoseconds + distance
  if (!Number.isSafeInteger(total)) throw new SyntaxError(`time is ${total} ns away, expected less than 2^53`)
  const whole = Math.floor(total / SECOND)
  return { seconds: from.seconds + whole, nanoseconds: total - whole * SECOND }
}
