import { VarintReader, VarintWriter } from '../../bytes/varint.ts'
import { DATA_RANGES_MAX } from './layout.ts'

/**
 * The parts of a file that are not holes, ascending, not touching: start and end of each, one after the other. A file
 * of many holes has millions.
 */
export type DataRanges = Float64Array

/** Their number, then for each the distance from the one before and the length. */
export function encodeDataRanges(ranges: DataRanges): Uint8Array {
  const writer = new VarintWriter()
  writer.writeUnsigned(ranges.length / 2)
  let end = 0
  for (let at = 0; at < ranges.length; at += 2) {
    const [start = 0, next = 0] = [ranges[at], ranges[at + 1]]
    writer.writeUnsigned(start - end)
    writer.writeUnsigned(next - start)
    end = next
  }
  return writer.take()
}

/** Throws SyntaxError. `sizeBytes` is that of the file. */
export function parseDataRanges(bytes: Uint8Array, sizeBytes: number): DataRanges {
  const reader = new VarintReader(bytes)
  const count = reader.readUnsigned()
  // Each takes two bytes at least.
  if (count > DATA_RANGES_MAX || 2 * count > bytes.byteLength) {
    throw new SyntaxError(
      `data ranges are ${count} in ${bytes.byteLength} bytes, limit is ${DATA_RANGES_MAX}`,
    )
  }
  const ranges = new Float64Array(2 * count)
  let end = 0
  for (let at = 0; at < ranges.length; at += 2) {
    const start = end + reader.readUnsigned()
    const length = reader.readUnsigned()
    if (length === 0 || start + length > sizeBytes || (at > 0 && start === end)) {
      throw new SyntaxError(
        `data range is ${start}+${length}, expected one behind ${end} that ends by ${sizeBytes}`,
      )
    }
    end = start + length
    ranges[at] = start
    ranges[at + 1] = end
  }
  if (!reader.isAtEnd)
    throw new SyntaxError(`data ranges end at byte ${reader.position}, expected ${bytes.byteLength}`)
  return ranges
}
