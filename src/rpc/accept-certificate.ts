import { type KeyObject, X509Certificate } from 'node:crypto'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import { endOf } from './authority.ts'
import { DerError } from './der-reader.ts'
import { readRevocationList, type RevocationList } from './revocation-list.ts'

/** One key, two names and a handful of extensions take less than a kilobyte. */
const CERTIFICATE_BYTES_MAX = 16 * 1024

/** What an agent has, that what it is offered must fit. */
export type PresentCertificate = {
  readonly key: KeyObject
  readonly certificate: X509Certificate
  readonly authority: X509Certificate
}

/**
 * A certificate in the place of the present one: of the same authority, for the same key and the same names, and for longer.
 * Whoever may bring one can never make the agent somebody else. Throws CERTIFICATE_REFUSED.
 */
export function acceptCertificate(
  offered: Uint8Array,
  present: PresentCertificate,
  clock: Clock,
): X509Certificate {
  const certificate = readCertificate(offered)
  const { authority } = present
  if (!isIssuedBy(certificate, authority)) throw refused('it is not of the authority of this agent')
  if (!certificate.checkPrivateKey(present.key)) throw refused("it is not for this agent's key")
  const was = rightsOf(present.certificate)
  if (certificate.ca || rightsOf(certificate) !== was) {
    throw refused('it is for another name or another use than the present one')
  }
  if (endOf(certificate) <= endOf(present.certificate)) {
    throw refused('it ends no later than the present one')
  }
  requireValidNow(certificate, clock)
  return certificate
}

/** Throws CERTIFICATE_REFUSED for what is no certificate. */
export function readCertificate(bytes: Uint8Array): X509Certificate {
  if (bytes.length > CERTIFICATE_BYTES_MAX) {
    throw refused(`it is ${bytes.length} bytes long, more than ${CERTIFICATE_BYTES_MAX}`)
  }
  try {
    return new X509Certificate(bytes)
  } catch (cause) {
    throw refused('it cannot be read', cause)
  }
}

export function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}

/** Throws CERTIFICATE_REFUSED: TLS would refuse it, and nobody could tell why any more. */
export function requireValidNow(certificate: X509Certificate, clock: Clock): void {
  const nowMs = clock.now().getTime()
  const beginsAtMs = certificate.validFromDate.getTime()
  if (beginsAtMs > nowMs) throw refused(`it begins at ${written(beginsAtMs)}, ${clocksDiffer(nowMs)}`)
  if (endOf(certificate) <= nowMs) {
    throw refused(`it ended at ${written(endOf(certificate))}, ${clocksDiffer(nowMs)}`)
  }
}

/**
 * A list in the place of the present one: of the same authority, with a higher number, so that nobody brings back what was
 * revoked. Null for the very list that is there already. Throws CERTIFICATE_REFUSED.
 */
export function acceptRevocationList(
  offered: Uint8Array,
  present: { readonly authority: X509Certificate; readonly number: number | null },
  clock: Clock,
): RevocationList | null {
  const list = readList(offered, present.authority)
  if (list.number === present.number) return null
  if (present.number !== null && list.number < present.number) {
    throw refusedList(`it has number ${list.number}, and that of this agent is ${present.number}`)
  }
  const nowMs = clock.now().getTime()
  if (list.madeAtMs > nowMs) {
    throw refusedList(`it was made at ${written(list.madeAtMs)}, ${clocksDiffer(nowMs)}`)
  }
  if (list.endsAtMs <= nowMs) {
    throw refusedList(`it ended at ${written(list.endsAtMs)}, ${clocksDiffer(nowMs)}`)
  }
  return list
}

function readList(offered: Uint8Array, authority: X509Certificate): RevocationList {
  try {
    return readRevocationList(offered, authority)
  } catch (cause) {
    if (cause instanceof DerError) throw refusedList(cause.message, cause)
    throw cause
  }
}

/** Everything that a certificate lets its owner be. */
function rightsOf({ subject, subjectAltName, keyUsage }: X509Certificate): string {
  return JSON.stringify([subject, subjectAltName, keyUsage])
}

function clocksDiffer(nowMs: number): string {
  return `and the clock of this host says ${written(nowMs)}`
}

function written(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toString({ smallestUnit: 'second' })
}

function refused(what: string, cause?: unknown): BackupError {
  return new BackupError(ErrorCode.CertificateRefused, `Cannot take the certificate: ${what}`, { cause })
}

function refusedList(what: string, cause?: unknown): BackupError {
  const message = `Cannot take the list of revoked certificates: ${what}`
  return new BackupError(ErrorCode.CertificateRefused, message, { cause })
}
