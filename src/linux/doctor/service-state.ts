import { stat } from 'node:fs/promises'
import { askTool } from './ask-tool.ts'

export type ServiceState =
  | { readonly kind: 'none' }
  | { readonly kind: 'silent'; readonly reason: string }
  | { readonly kind: 'known'; readonly active: string; readonly enabled: string }

/** What systemd says of a unit; `none` where it does not run this host (sd_booted(3)). */
export async function serviceState(unit: string, signal: AbortSignal): Promise<ServiceState> {
  if (!(await isThere('/run/systemd/system'))) return { kind: 'none' }
  const words = ['show', '--property=ActiveState,UnitFileState,LoadState', unit]
  const answer = await askTool('systemctl', words, signal)
  if (answer.kind === 'missing') return { kind: 'silent', reason: 'there is no program "systemctl"' }
  if (answer.kind === 'silent') return answer
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(answer.text)?.[1] ?? ''
  const isKnown = value('LoadState') !== 'not-found'
  return {
    kind: 'known',
    active: value('ActiveState'),
    enabled: isKnown ? value('UnitFileState') || 'static' : 'not-found',
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}
