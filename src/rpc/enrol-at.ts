import { type KeyObject, X509Certificate } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'
import { isIP } from 'node:net'
import { createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import { isIssuedBy, readCertificate, requireValidNow } from './accept-certificate.ts'
import { connectionText } from './agent-session.ts'
import { DerError } from './der-reader.ts'
import { type EnrolmentToken, fingerprintOf, isSame, proofOf } from './enrolment-token.ts'
import { errorFromWire } from './error-from-wire.ts'
import { EnrolmentService } from './gen/icecore/v1/enrolment_pb.ts'
import { peerOf } from './peer.ts'
import { readRevocationList } from './revocation-list.ts'
import { makeSigningRequest } from './signing-request.ts'

export type MoverAddress = { readonly host: string; readonly port: number }

/** What a new agent has got, checked. */
export type Enrolment = {
  readonly certificate: X509Certificate
  readonly authority: X509Certificate
  /** DER. */
  readonly revoked: Uint8Array
}

const TIMEOUT_MS = 20_000
const MESSAGE_BYTES_MAX = 2 * 1024 * 1024

/**
 * Takes a mover's invitation for a key that was made here. Nothing is said before the other side has shown the authority of
 * the token. Throws CONNECTION_FAILED, ENROLMENT_REFUSED, CERTIFICATE_REFUSED.
 */
export async function enrolAt(
  mover: MoverAddress,
  invited: {
    readonly token: EnrolmentToken
    readonly keys: { readonly key: KeyObject; readonly publicKey: KeyObject }
    readonly clock: Clock
  },
  signal: AbortSignal,
): Promise<Enrolment> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  try {
    const authority = await shownAuthority(mover, invited.token, limited)
    const answer = await ask(mover, { ...invited, authority }, limited)
    return checked(answer, { ...invited, authority })
  } catch (error) {
    signal.throwIfAborted()
    if (limited.aborted) throw unreachable(mover, `it has not answered within ${TIMEOUT_MS / 1000} s`, error)
    throw error
  }
}

async function ask(
  mover: MoverAddress,
  invited: {
    readonly token: EnrolmentToken
    readonly keys: { readonly key: KeyObject; readonly publicKey: KeyObject }
    readonly authority: X509Certificate
  },
  signal: AbortSignal,
): Promise<{ readonly certificate: Uint8Array; readonly revoked: Uint8Array }> {
  const transport = createConnectTransport({
    httpVersion: '1.1',
    baseUrl: `https://${addressOf(mover)}`,
    readMaxBytes: MESSAGE_BYTES_MAX,
    acceptCompression: [],
    nodeOptions: {
      agent: false,
      ca: invited.authority.toString(),
      minVersion: 'TLSv1.3',
      // Its authority says who it is, under whatever name it is reached.
      checkServerIdentity: (_name, shown) => objectionTo(new X509Certificate(shown.raw)),
    },
  })
  const signingRequest = makeSigningRequest(invited.keys)
  const proof = proofOf(invited.token.secret, signingRequest)
  try {
    return await createClient(EnrolmentService, transport).enroll({ signingRequest, proof }, { signal })
  } catch (error) {
    throw failureOf(error, mover)
  }
}

/** What the mover said; else what was wrong with it; else what became of the connection. */
function failureOf(error: unknown, mover: MoverAddress): Error {
  const told = errorFromWire(error, addressOf(mover))
  if (isBackupError(told, ErrorCode.EnrolmentRefused, ErrorCode.CertificateRefused)) return told
  let innermost: unknown = error
  while (innermost instanceof Error && innermost.cause !== undefined) {
    innermost = innermost.cause
    if (isBackupError(innermost, ErrorCode.EnrolmentRefused)) return innermost
  }
  return unreachable(mover, connectionText(innermost), error)
}

function checked(
  answer: { readonly certificate: Uint8Array; readonly revoked: Uint8Array },
  invited: {
    readonly authority: X509Certificate
    readonly keys: { readonly key: KeyObject }
    readonly clock: Clock
  },
): Enrolment {
  const certificate = readCertificate(answer.certificate)
  if (!isIssuedBy(certificate, invited.authority) || !certificate.checkPrivateKey(invited.keys.key)) {
    throw refused('the certificate that came is not for the key of this host')
  }
  requireValidNow(certificate, invited.clock)
  try {
    if (peerOf(certificate).role !== 'agent')
      throw refused('the certificate that came is not that of an agent')
    readRevocationList(answer.revoked, invited.authority)
  } catch (cause) {
    if (cause instanceof DerError) throw refused(`the list of revoked certificates: ${cause.message}`, cause)
    if (cause instanceof SyntaxError) throw refused(cause.message, cause)
    throw cause
  }
  return { certificate, authority: invited.authority, revoked: answer.revoked }
}

/** Connects, looks at the certificates, says nothing. */
async function shownAuthority(
  mover: MoverAddress,
  token: EnrolmentToken,
  signal: AbortSignal,
): Promise<X509Certificate> {
  const socket = connect({
    ...mover,
    ...(isIP(mover.host) === 0 ? { servername: mover.host } : {}),
    minVersion: 'TLSv1.3',
    // What is shown is compared with the token; then another connection is made that checks everything.
    rejectUnauthorized: false,
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = (): void => reject(signal.reason)
  socket.once('secureConnect', resolve)
  socket.on('error', (cause) => reject(unreachable(mover, connectionText(cause), cause)))
  socket.once('close', () => reject(unreachable(mover, 'it closed the connection')))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    await promise
    return authorityOf(socket, token)
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}

function authorityOf(socket: TLSSocket, token: EnrolmentToken): X509Certificate {
  const shown = socket.getPeerX509Certificate()
  const authority = shown?.issuerCertificate
  if (
    shown === undefined ||
    authority === undefined ||
    !isSame(fingerprintOf(authority), token.fingerprint) ||
    !isIssuedBy(shown, authority)
  ) {
    throw refused(
      'who answers there is not the mover that made the token; nothing was sent. Somebody may stand between, or the address is wrong',
    )
  }
  return authority
}

function objectionTo(shown: X509Certificate): Error | undefined {
  try {
    if (peerOf(shown).role === 'mover') return undefined
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return refused('who answers there is not a mover')
}

function addressOf({ host, port }: MoverAddress): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

function unreachable(mover: MoverAddress, why: string, cause?: unknown): BackupError {
  const message = `Cannot reach the mover at "${addressOf(mover)}": ${why}`
  return new BackupError(ErrorCode.ConnectionFailed, message, { cause })
}

function refused(why: string, cause?: unknown): BackupError {
  return new BackupError(ErrorCode.EnrolmentRefused, `Cannot enrol this host: ${why}`, { cause })
}
