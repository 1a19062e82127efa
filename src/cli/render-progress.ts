import { formatByteSize } from '../domain/byte-size.ts'
import { formatDuration } from '../domain/duration.ts'
import type { TextStream } from './terminal.ts'

export type ProgressState = {
  readonly phase: string
  readonly doneBytes: number
  /** Null when nobody knows. */
  readonly totalBytes: number | null
  readonly storedBytes: number | undefined
  /** Undefined until it means something. */
  readonly bytesPerSecond: number | undefined
}

const BAR_WIDTH_MIN = 8
const BAR_WIDTH_MAX = 30
const GAP = '  '

/** One line of at most `width` columns; on a narrow terminal the least telling parts are left out. */
export function renderProgress(state: ProgressState, width: number, paint: TextStream['paint']): string {
  const parts = partsOf(state)
  const barSpace = GAP.length + BAR_WIDTH_MIN
  // A bar tells more than how much was stored.
  if (state.storedBytes !== undefined && parts.join(GAP).length + barSpace > width) parts.pop()
  while (parts.length > 1 && parts.join(GAP).length > width) parts.pop()
  const text = parts.join(GAP).slice(0, Math.max(0, width))
  const share = shareOf(state)
  const room = Math.min(BAR_WIDTH_MAX, width - text.length - GAP.length)
  if (share === undefined || room < BAR_WIDTH_MIN) return text
  const filled = Math.round(room * share)
  const bar = paint('green', '━'.repeat(filled)) + paint('dim', '╌'.repeat(room - filled))
  const [phase = '', ...rest] = parts
  return [phase, bar, ...rest].join(GAP)
}

/** The most telling first. */
function partsOf(state: ProgressState): string[] {
  const { phase, doneBytes, totalBytes, storedBytes, bytesPerSecond } = state
  const share = shareOf(state)
  const done = formatByteSize(doneBytes)
  const parts = [phase]
  if (share !== undefined) parts.push(`${Math.floor(share * 100)}%`.padStart(4))
  if (totalBytes !== null && totalBytes > 0) parts.push(`${done} of ${formatByteSize(totalBytes)}`)
  else if (doneBytes > 0) parts.push(done)
  if (bytesPerSecond !== undefined) parts.push(`${formatByteSize(bytesPerSecond)}/s`)
  const left = timeLeft(state)
  if (left !== undefined) parts.push(`${left} left`)
  if (storedBytes !== undefined) parts.push(`${formatByteSize(storedBytes)} stored`)
  return parts
}

function shareOf({ doneBytes, totalBytes }: ProgressState): number | undefined {
  return totalBytes === null || totalBytes === 0 ? undefined : Math.min(1, doneBytes / totalBytes)
}

/** Whole seconds: more would pretend to know. */
function timeLeft({ doneBytes, totalBytes, bytesPerSecond }: ProgressState): string | undefined {
  if (totalBytes === null || bytesPerSecond === undefined || bytesPerSecond <= 0) return undefined
  const seconds = Math.ceil(Math.max(0, totalBytes - doneBytes) / bytesPerSecond)
  return seconds < 60 ? `${Math.max(1, seconds)} s` : formatDuration(seconds * 1000)
}
