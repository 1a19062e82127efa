import { formatDuration } from '../../domain/duration.ts'
import { dateOf } from './date-of.ts'
import { type Finding, ok, warning, wrong } from './finding.ts'

export type CertificateFacts = {
  /** What it says of its owner. */
  readonly name: string
  readonly role: string
  readonly beginsAtMs: number
  readonly endsAtMs: number
  /** Made by the authority that the other side knows. */
  readonly isOfAuthority: boolean
  readonly isRevoked: boolean
  /** Whom it was called, and what it says that it is; null when that is the same. */
  readonly wrongHost: { readonly called: string; readonly named: string } | null
}

export type CertificateDemand = {
  /** The name of the check. */
  readonly check: string
  /** As a sentence begins: `The certificate of this agent`. */
  readonly subject: string
  readonly role: 'agent' | 'mover'
  readonly nowMs: number
  /** What to do for another one. */
  readonly renewal: string
}

/** Agents renew theirs when a third of its life is left; what is later than this was not renewed. */
const SOON_SHARE = 0.2

export function checkCertificate(facts: CertificateFacts, demand: CertificateDemand): Finding {
  const { check, subject, nowMs, renewal } = demand
  const failure = failureOf(facts, demand)
  if (failure !== null) {
    return wrong(check, { sentence: `${subject} ${failure}`, advice: renewal, stops: 'agent' })
  }
  const left = facts.endsAtMs - nowMs
  const span = `is of ${facts.role} "${facts.name}" and ends at ${dateOf(facts.endsAtMs)}, in ${formatDuration(left)}`
  if (left < SOON_SHARE * (facts.endsAtMs - facts.beginsAtMs)) {
    return warning(check, `${subject} ${span}, and was not renewed in time`, renewal)
  }
  return ok(check, `${subject} ${span}`)
}

function failureOf(facts: CertificateFacts, { role, nowMs }: CertificateDemand): string | null {
  if (!facts.isOfAuthority) return 'was not made by the authority that belongs to it'
  if (facts.isRevoked) return 'is revoked'
  if (facts.role !== role) return `is one of role "${facts.role}", required is "${role}"`
  if (facts.wrongHost !== null) {
    return `is for ${facts.wrongHost.named}, and not for "${facts.wrongHost.called}"`
  }
  if (nowMs < facts.beginsAtMs)
    return `begins at ${dateOf(facts.beginsAtMs)}, which is still to come: see the clock`
  return nowMs < facts.endsAtMs ? null : `has ended at ${dateOf(facts.endsAtMs)}`
}
