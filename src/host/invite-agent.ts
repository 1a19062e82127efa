import { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import type { Randomness } from '../domain/randomness.ts'
import { formatEnrolmentToken, makeEnrolmentToken } from '../rpc/enrolment-token.ts'
import { Invitation } from '../rpc/invitation.ts'
import { serveEnrolment } from '../rpc/serve-enrolment.ts'
import type { AuthorityFolder } from './authority-folder.ts'
import type { EnrolledAgent } from './issue-to-agents.ts'

export type InvitationOrder = {
  readonly authority: AuthorityFolder
  /** `canonicalHost()` of the agent: what the mover will connect to. */
  readonly name: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly expiresMs: number
  readonly clock: Clock
  readonly randomness: Randomness
  /** Shows the token to a person; called when it can be used. */
  readonly onInvited: (invited: {
    readonly token: string
    readonly port: number
    readonly expiresAtMs: number
  }) => Promise<void>
  readonly onRefused: (refused: { readonly address: string; readonly error: Error }) => void
}

/** Listens until one agent has enrolled. Throws ENROLMENT_REFUSED when none has in time, or too many have tried. */
export async function inviteAgent(order: InvitationOrder, signal: AbortSignal): Promise<EnrolledAgent> {
  const { authority, clock, expiresMs, name } = order
  const token = makeEnrolmentToken(new X509Certificate(authority.certificate), order.randomness)
  const expiresAtMs = clock.now().getTime() + expiresMs
  const invitation = new Invitation({ secret: token.secret, expiresAtMs, clock })
  const over = new AbortController()
  const taken = Promise.withResolvers<EnrolledAgent>()
  // It may be decided before anybody waits for it.
  taken.promise.catch(() => {})
  let enrolled: EnrolledAgent | null = null
  await using server = await serveEnrolment({
    invitation,
    tls: await authority.enrolmentTls(),
    listen: order.listen,
    issue: async (signingRequest) => {
      enrolled = await authority.enrol(name, signingRequest, signal)
      return enrolled
    },
    onTaken: (isAnswered) => {
      if (enrolled !== null && isAnswered) taken.resolve(enrolled)
      else taken.reject(lost(name, enrolled))
    },
    onRefused: (refused) => {
      order.onRefused(refused)
      if (invitation.isVoid) taken.reject(failed(name, 'a wrong token was tried too often'))
    },
  })
  await order.onInvited({ token: formatEnrolmentToken(token), port: server.port, expiresAtMs })
  const expiry = expired(expiresMs, AbortSignal.any([signal, over.signal]), name)
  try {
    return await Promise.race([taken.promise, expiry])
  } finally {
    over.abort()
    await expiry.catch(() => {})
  }
}

async function expired(afterMs: number, signal: AbortSignal, name: string): Promise<never> {
  await sleep(afterMs, undefined, { signal }).catch((error: unknown) => {
    throw signal.reason ?? error
  })
  throw failed(name, 'the invitation has expired, and nobody took it')
}

function failed(name: string, why: string): BackupError {
  const message = `Cannot enrol "${name}": ${why}; required is another invitation`
  return new BackupError(ErrorCode.EnrolmentRefused, message)
}

function lost(name: string, enrolled: EnrolledAgent | null): BackupError {
  const serial = enrolled?.serial ?? 'unknown'
  return failed(
    name,
    `the connection broke before it had the answer (\`icecore agent revoke ${serial}\` takes back the certificate that was in it)`,
  )
}
