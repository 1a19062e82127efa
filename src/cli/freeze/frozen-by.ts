import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import type { ImageRecord } from '../../domain/ledger.ts'

/** How icecore froze it, and what that cost those who write. */
export function frozenBy(image: ImageRecord): string {
  const { provider, source, windowMs, movedBytes, agentHost, challengeCount = 0 } = image
  const where = agentHost === undefined ? '' : ` on ${agentHost}`
  const window = windowMs === null ? '' : `, writers waited ${formatDuration(windowMs)} at most`
  const moved =
    movedBytes === 0 ? '' : `; ${formatByteSize(movedBytes)} were read again, because they had moved`
  const compared =
    challengeCount === 0 ? '' : `; ${challengeCount} ranges read here were compared with what it reads`
  return `${source} by ${provider}${where}${window}${moved}${compared}`
}
