import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import type { ImageRecord } from '../../domain/ledger.ts'

/** How icecore froze it, and what that cost those who write. */
export function frozenBy({ provider, source, windowMs, movedBytes }: ImageRecord): string {
  const window = windowMs === null ? '' : `, writers waited ${formatDuration(windowMs)} at most`
  const moved =
    movedBytes === 0 ? '' : `; ${formatByteSize(movedBytes)} were read again, because they had moved`
  return `${source} by ${provider}${window}${moved}`
}
