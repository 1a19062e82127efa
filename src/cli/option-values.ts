import { parseByteSize } from '../domain/byte-size.ts'
import { CHUNK_SIZE_MAX, CHUNK_SIZE_MIN } from '../repository/chunk-size.ts'
import type { ParseText } from './command.ts'

// The levels that zstd itself offers for compression at rest.
const ZSTD_LEVEL_MIN = 1
const ZSTD_LEVEL_MAX = 19

/** Any text that is not empty: an empty one is nearly always an unset variable of a script. */
export function asText(text: string): string {
  if (text === '') throw new SyntaxError('Cannot read value: it is empty')
  return text
}

/** One of a closed list of words. */
export function oneOf<const Word extends string>(words: readonly Word[]): ParseText<Word> {
  return (text) => {
    const word = words.find((candidate) => candidate === text)
    if (word === undefined) throw new SyntaxError(`Cannot read "${text}": expected ${alternatives(words)}`)
    return word
  }
}

/** A whole number from `minimum` to `maximum`, both included. */
export function wholeNumber(minimum: number, maximum: number): ParseText<number> {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= minimum && value <= maximum) return value
    throw new SyntaxError(`Cannot read "${text}": expected a whole number from ${minimum} to ${maximum}`)
  }
}

/** `5`, `2.5` or `5%`, as a share in (0, 1]. */
export function parsePercent(text: string): number {
  const match = /^(\d{1,3}(?:\.\d{1,6})?)%?$/.exec(text)
  const percent = match === null ? Number.NaN : Number(match[1])
  if (percent > 0 && percent <= 100) return percent / 100
  throw new SyntaxError(`Cannot read "${text}": expected a percentage above 0 and up to 100, such as 5`)
}

/** A power of two from 16KiB to 4MiB, in bytes. */
export function parseChunkSize(text: string): number {
  const bytes = parseByteSize(text)
  const isPowerOfTwo = bytes > 0 && Number.isInteger(Math.log2(bytes))
  if (isPowerOfTwo && bytes >= CHUNK_SIZE_MIN && bytes <= CHUNK_SIZE_MAX) return bytes
  throw new SyntaxError(`Cannot read "${text}": expected a power of two from 16KiB to 4MiB`)
}

const RATE_MIN = 64 * 1024

/** `100MiB/s` or `100MiB`, in bytes a second. */
export function parseRate(text: string): number {
  const bytes = parseByteSize(text.replace(/\/s$/, ''))
  if (bytes >= RATE_MIN) return bytes
  throw new SyntaxError(`Cannot read "${text}": expected at least 64KiB/s, such as 100MiB/s`)
}

/** Minutes since midnight; `to` may be the next day's. */
export type HoursOfDay = { readonly fromMinute: number; readonly toMinute: number }

/** `22:00-06:00`, by the clock of this host. */
export function parseHours(text: string): HoursOfDay {
  const found = /^([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)$/.exec(text)
  const [fromHour, fromMinutes, toHour, toMinutes] = (found ?? []).slice(1).map(Number)
  const fromMinute = (fromHour ?? NaN) * 60 + (fromMinutes ?? NaN)
  const toMinute = (toHour ?? NaN) * 60 + (toMinutes ?? NaN)
  if (found !== null && fromMinute !== toMinute && toMinute <= 24 * 60) return { fromMinute, toMinute }
  throw new SyntaxError(`Cannot read "${text}": expected two different times of day, such as 22:00-06:00`)
}

export type CompressionChoice =
  | { readonly algorithm: 'zstd'; readonly level: number }
  | { readonly algorithm: 'none' }

/** `zstd:LEVEL`, `zstd` (level 1) or `none`. */
export function parseCompression(text: string): CompressionChoice {
  if (text === 'none') return { algorithm: 'none' }
  const match = /^zstd(?::(\d{1,2}))?$/.exec(text)
  const level = match === null ? Number.NaN : Number(match[1] ?? ZSTD_LEVEL_MIN)
  if (level >= ZSTD_LEVEL_MIN && level <= ZSTD_LEVEL_MAX) return { algorithm: 'zstd', level }
  throw new SyntaxError(
    `Cannot read "${text}": expected zstd:${ZSTD_LEVEL_MIN} to zstd:${ZSTD_LEVEL_MAX}, or none`,
  )
}

/** `auto`: the latest point of the lineage; `none`: store as if there were no point; else a point. */
export type BaseChoice =
  | { readonly kind: 'auto' }
  | { readonly kind: 'none' }
  | { readonly kind: 'point'; readonly reference: string }

/** `auto`, `none` or a POINT. */
export function parseBase(text: string): BaseChoice {
  if (text === 'auto' || text === 'none') return { kind: text }
  return { kind: 'point', reference: parsePointReference(text) }
}

/** An id, a prefix of one, `latest` or `latest:LINEAGE`; whether it exists is for the repository to say. */
export function parsePointReference(text: string): string {
  if (/^[0-9a-f]{1,64}$/.test(text) || text === 'latest' || /^latest:./.test(text)) return text
  throw new SyntaxError(
    `Cannot read point "${text}": expected an id or the first digits of one, latest, or latest:LINEAGE`,
  )
}

/** `a`, `a or b`, `a, b or c`. */
function alternatives(words: readonly string[]): string {
  return words.join(', ').replace(/, ([^,]*)$/, ' or $1')
}
