import { dateOf } from './date-of.ts'
import { type Finding, ok, wrong } from './finding.ts'

/** The list of certificates that do not count any more. */
export type RevocationFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'damaged'; readonly reason: string }
  | { readonly kind: 'list'; readonly madeAtMs: number; readonly revokedCount: number }

/** Every run of a mover brings the newest list to the agent, so that it need not end. */
export function checkRevocation(list: RevocationFacts): Finding {
  const name = 'revocation-list'
  if (list.kind === 'none')
    return ok(name, 'There is no list of revoked certificates yet: the first run brings it')
  if (list.kind === 'damaged') {
    return wrong(name, {
      sentence: `The list of revoked certificates cannot be used: ${list.reason}`,
      advice: 'Put back a copy of the list; on an agent, enroll again',
      stops: 'agent',
    })
  }
  const revoked = list.revokedCount === 0 ? 'revokes none' : `revokes ${list.revokedCount}`
  return ok(name, `The list of revoked certificates is of ${dateOf(list.madeAtMs)} and ${revoked}`)
}
