import { formatDuration } from '../../domain/duration.ts'
import { type Finding, ok, warning, wrong } from './finding.ts'

const NOTICED_MS = 5000
/** Leases and certificates are of clocks: more than this and they end too early, or not at all. */
const TOO_MUCH_MS = 5 * 60 * 1000

/** How far the agent's clock is ahead of this one; the answer may have been under way for as long as the whole call took. */
export function checkClock(facts: { readonly aheadMs: number; readonly callMs: number }): Finding {
  const surely = Math.max(0, Math.abs(facts.aheadMs) - facts.callMs)
  const where = facts.aheadMs > 0 ? 'ahead of' : 'behind'
  const sentence = `The agent's clock is ${formatDuration(Math.abs(facts.aheadMs))} ${where} this one`
  const advice = 'Let both hosts take their time from one place (chrony, systemd-timesyncd)'
  if (surely > TOO_MUCH_MS) return wrong('clock', { sentence, advice, stops: 'nothing' })
  if (surely > NOTICED_MS) return warning('clock', sentence, advice)
  return ok('clock', surely === 0 ? 'Both clocks say the same' : sentence)
}
