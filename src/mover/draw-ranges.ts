import type { Randomness } from '../domain/randomness.ts'
import { endOf, type Range, type RangeBatch } from '../domain/range.ts'

const LENGTH_MIN = 4096
const LENGTH_MAX = 65_536
/** All ranges together are at most this share of the data, unless they are as short as they can be. */
const SHARE = 1 / 1024

export type DrawParts = {
  readonly sizeBytes: number
  readonly sectorSizeBytes: number
  dataRanges(range: Range, signal: AbortSignal): AsyncIterable<RangeBatch>
  readonly randomness: Randomness
}

/**
 * At most `count` ranges of the data, of 4 to 64 KiB, in whole sectors, ascending and not overlapping: every byte of data
 * is as likely to begin one as any other.
 */
export async function drawRanges(parts: DrawParts, count: number, signal: AbortSignal): Promise<Range[]> {
  const whole = { offset: 0, length: parts.sizeBytes }
  let dataBytes = 0
  for await (const batch of parts.dataRanges(whole, signal)) {
    for (const { length } of batch) dataBytes += length
  }
  const lengthMax = Math.min(LENGTH_MAX, Math.max(LENGTH_MIN, (dataBytes * SHARE) / count))
  const places = Array.from({ length: dataBytes === 0 ? 0 : count }, () => parts.randomness.below(dataBytes))
  places.sort((a, b) => a - b)
  const drawn: Range[] = []
  let before = 0
  let next = 0
  for await (const batch of parts.dataRanges(whole, signal)) {
    for (const data of batch) {
      const ends = before + data.length
      for (; next < places.length && (places[next] ?? 0) < ends; next += 1) {
        const range = rangeAt(parts, { data, at: data.offset + (places[next] ?? 0) - before, lengthMax })
        if (range.length > 0 && range.offset >= endOfLast(drawn)) drawn.push(range)
      }
      before = ends
    }
  }
  return drawn
}

function endOfLast(ranges: readonly Range[]): number {
  const last = ranges.at(-1)
  return last === undefined ? 0 : endOf(last)
}

/** From the sector of `at` on, within the data; the last sector of an image may be cut off. */
function rangeAt(
  { sectorSizeBytes, randomness }: DrawParts,
  from: { readonly data: Range; readonly at: number; readonly lengthMax: number },
): Range {
  const { data, at, lengthMax } = from
  const offset = Math.max(data.offset, at - (at % sectorSizeBytes))
  const wanted = LENGTH_MIN + randomness.below(Math.floor(lengthMax) - LENGTH_MIN + 1)
  const length = Math.min(wanted - (wanted % sectorSizeBytes) || sectorSizeBytes, endOf(data) - offset)
  return { offset, length }
}
