import { verify, type X509Certificate } from 'node:crypto'
import type { Clock } from '../domain/clock.ts'
import type { Authority } from './authority.ts'
import { DerError, DerReader, takeTime } from './der-reader.ts'
import { contextTag, der, derTime, DerTag, sequence, smallInteger, unsignedInteger } from './der-writer.ts'
import { readSigned } from './read-signed.ts'
import {
  authorityKeyIdentifier,
  REVOCATION_LIST_NUMBER,
  revocationListNumber,
  SIGNATURE_ALGORITHM,
  signed,
  subjectBytes,
} from './x509-parts.ts'

/** What PEM calls it. */
export const REVOCATION_LIST_LABEL = 'X509 CRL'

export type RevokedCertificate = {
  /** Hexadecimal digits, capital, as tools print it. */
  readonly serial: string
  readonly revokedAtMs: number
}

/** A list of revoked certificates, X.509 version 2 (RFC 5280, section 5). Each has a number; a later one has a higher. */
export type RevocationList = {
  readonly number: number
  readonly revoked: readonly RevokedCertificate[]
  readonly madeAtMs: number
  /** TLS refuses everybody from then on. */
  readonly endsAtMs: number
}

/** Some twenty thousand entries. */
const REVOCATION_LIST_BYTES_MAX = 1024 * 1024
const SKEW_MS = 5 * 60_000

/**
 * TLS refuses everybody when a list has ended. Only a mover brings a new one, and it could not connect any more: so a list
 * never ends before the authority. What keeps it fresh is that every run brings the newest.
 */
export function makeRevocationList(
  authority: Authority,
  list: { readonly number: number; readonly revoked: readonly RevokedCertificate[] },
  clock: Clock,
): Uint8Array {
  const entries = list.revoked.map(({ serial, revokedAtMs }) =>
    sequence(unsignedInteger(Buffer.from(serial, 'hex')), derTime(revokedAtMs)),
  )
  const extensions = sequence(
    authorityKeyIdentifier(authority.certificate.publicKey),
    revocationListNumber(smallInteger(list.number)),
  )
  const content = sequence(
    smallInteger(1),
    SIGNATURE_ALGORITHM,
    subjectBytes(authority.certificate),
    derTime(clock.now().getTime() - SKEW_MS),
    derTime(authority.endsAtMs),
    // An empty list is left out: the standard wants it so.
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    der(contextTag(0), extensions),
  )
  return signed(content, authority.key)
}

/** Reads a list of this authority; throws DerError with half a sentence for anything else. */
export function readRevocationList(list: Uint8Array, authority: X509Certificate): RevocationList {
  if (list.length > REVOCATION_LIST_BYTES_MAX) {
    throw new DerError(`it is ${list.length} bytes long, more than ${REVOCATION_LIST_BYTES_MAX}`)
  }
  const { whole, content, signature } = readSigned(list, 'the list')
  // Before anything in it is believed.
  if (!verify('sha256', whole, authority.publicKey, signature)) {
    throw new DerError('it is not signed by the authority')
  }
  return readContent(new DerReader(content))
}

function readContent(reader: DerReader): RevocationList {
  reader.take(DerTag.Integer, 'the version')
  reader.take(DerTag.Sequence, 'the algorithm')
  reader.take(DerTag.Sequence, 'the issuer')
  const madeAtMs = takeTime(reader, 'the time that it was made')
  const endsAtMs = takeTime(reader, 'the time of the next one')
  const revoked: RevokedCertificate[] = []
  const entries = reader.takeIf(DerTag.Sequence, 'the entries')
  const left = new DerReader(entries?.content ?? new Uint8Array())
  while (left.nextTag !== null) {
    const entry = left.enter(DerTag.Sequence, 'an entry')
    const serial = Buffer.from(entry.take(DerTag.Integer, 'a serial number').content).toString('hex')
    revoked.push({ serial: serial.toUpperCase(), revokedAtMs: takeTime(entry, 'the time of a revocation') })
  }
  const extensions = reader.enter(contextTag(0), 'the extensions').enter(DerTag.Sequence, 'the extensions')
  return { number: numberIn(extensions), revoked, madeAtMs, endsAtMs }
}

function numberIn(extensions: DerReader): number {
  while (extensions.nextTag !== null) {
    const extension = extensions.enter(DerTag.Sequence, 'an extension')
    const id = extension.take(DerTag.ObjectId, 'the name of an extension').whole
    if (!Buffer.from(id).equals(REVOCATION_LIST_NUMBER)) continue
    const value = new DerReader(extension.take(DerTag.OctetString, 'the number').content)
    const digits = Buffer.from(value.take(DerTag.Integer, 'the number').content).toString('hex')
    const number = Number.parseInt(digits, 16)
    if (!Number.isSafeInteger(number)) throw new DerError('its number is too large')
    return number
  }
  throw new DerError('it has no number')
}
