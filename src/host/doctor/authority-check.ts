import { dateOf } from './date-of.ts'
import { type Finding, ok, warning, wrong } from './finding.ts'

/** The mover's authority, or why it cannot be used. */
export type AuthorityFacts =
  | { readonly kind: 'unusable'; readonly reason: string }
  | {
      readonly kind: 'usable'
      readonly folder: string
      readonly endsAtMs: number
      readonly endsSoon: string | null
    }

/** Who is an agent and who a mover is decided here. */
export function checkAuthority(facts: AuthorityFacts): Finding {
  const name = 'authority'
  if (facts.kind === 'unusable') {
    const advice =
      'Name the folder with --authority or ICECORE_AUTHORITY, or make one with `icecore agent invite HOST`'
    return wrong(name, { sentence: facts.reason, advice, stops: 'agent' })
  }
  if (facts.endsSoon !== null) return warning(name, facts.endsSoon, 'Plan for it: backups end when it does')
  return ok(name, `The authority in "${facts.folder}" is good until ${dateOf(facts.endsAtMs)}`)
}
