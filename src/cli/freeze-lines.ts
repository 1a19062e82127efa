import { formatDuration } from '../domain/duration.ts'
import type { FreezeRecord, HookRecord } from '../domain/ledger.ts'

const STAGES: Readonly<Record<HookRecord['stage'], string>> = {
  'before-freeze': 'before the freeze',
  'after-thaw': 'after the thaw',
}

/** How the sources were brought to rest, for people; nothing where they were not. */
export function freezeLines(freeze: FreezeRecord | null): string[] {
  if (freeze === null) return []
  const { hooks, mountPoints, windowMs } = freeze
  const frozen =
    mountPoints.length === 0 ? [] : [`  froze ${mountPoints.join(', ')} for ${formatDuration(windowMs ?? 0)}`]
  const ran = hooks.map(({ stage, program, durationMs, failure }) => {
    const how = failure === null ? '' : `: ${failure}`
    return `  ran ${program} ${STAGES[stage]} in ${formatDuration(durationMs)}${how}`
  })
  return [...frozen, ...ran]
}
