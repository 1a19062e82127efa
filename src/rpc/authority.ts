import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import type { Randomness } from '../domain/randomness.ts'
import { contextTag, der, derTime, sequence, smallInteger, unsignedInteger } from './der-writer.ts'
import {
  authorityExtensions,
  distinguishedName,
  KeyPurpose,
  peerExtensions,
  publicKeyInfo,
  SIGNATURE_ALGORITHM,
  signed,
  subjectBytes,
} from './x509-parts.ts'

/** A small certificate authority: the key that signs, and the certificate that everybody checks against. */
export type Authority = {
  readonly key: KeyObject
  readonly certificate: X509Certificate
  readonly endsAtMs: number
}

/** Both as PEM, as they are kept. */
export type AuthorityText = { readonly key: string; readonly certificate: string }

/** Whose certificate it is: what everybody else believes of the one that shows it. */
export type CertificateSubject = {
  readonly publicKey: KeyObject
  readonly name: string
  readonly role: 'agent' | 'mover'
  /** `canonicalHost()` of who is connected to; null for who only connects. */
  readonly host: string | null
  readonly validMs: number
  /** What TLS takes it for; by default what the role does. */
  readonly purposes?: readonly KeyPurpose[]
}

type Chance = { readonly clock: Clock; readonly randomness: Randomness }

const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 3653
/** Clocks of two hosts differ: what was made just now must not seem to lie in the future. */
const SKEW_MS = 5 * 60_000
const SERIAL_BYTES = 16

const PURPOSES: Readonly<Record<'agent' | 'mover', readonly KeyPurpose[]>> = {
  agent: [KeyPurpose.Server],
  mover: [KeyPurpose.Client],
}

/** A key pair on P-256. The private half goes into a file, or nowhere. */
export function makeKeyPair(): { readonly key: KeyObject; readonly publicKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { key: privateKey, publicKey }
}

export function privateKeyText(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' })
}

/** A new authority, for ten years. Its name has random digits, so that two of them are never taken for one another. */
export function makeAuthority(parts: Chance): AuthorityText {
  const { key, publicKey } = makeKeyPair()
  const digits = Buffer.from(parts.randomness.bytes(4)).toString('hex')
  const name = distinguishedName({ commonName: `icecore authority ${digits}` })
  const nowMs = parts.clock.now().getTime()
  const content = tbsCertificate({
    serial: makeSerial(parts.randomness),
    issuer: name,
    subject: name,
    beginsAtMs: nowMs - SKEW_MS,
    endsAtMs: nowMs + AUTHORITY_DAYS * DAY_MS,
    publicKey,
    extensions: authorityExtensions(publicKey),
  })
  return { key: privateKeyText(key), certificate: pem('CERTIFICATE', signed(content, key)) }
}

/** Throws AUTHORITY_UNUSABLE when the two do not belong together. */
export function readAuthority(text: AuthorityText, where: string): Authority {
  let key: KeyObject
  let certificate: X509Certificate
  try {
    key = createPrivateKey(text.key)
    certificate = new X509Certificate(text.certificate)
  } catch (cause) {
    throw unusable(where, 'its key or its certificate cannot be read', cause)
  }
  if (!certificate.ca) throw unusable(where, 'its certificate is not that of an authority')
  if (!certificate.checkPrivateKey(key)) throw unusable(where, 'its key is not that of its certificate')
  return { key, certificate, endsAtMs: endOf(certificate) }
}

/** Signs a certificate; it never outlives the authority. */
export function issueCertificate(
  authority: Authority,
  subject: CertificateSubject,
  parts: Chance,
): X509Certificate {
  const nowMs = parts.clock.now().getTime()
  const content = tbsCertificate({
    serial: makeSerial(parts.randomness),
    issuer: subjectBytes(authority.certificate),
    subject: distinguishedName({ commonName: subject.name, unit: subject.role }),
    beginsAtMs: nowMs - SKEW_MS,
    endsAtMs: Math.min(nowMs + subject.validMs, authority.endsAtMs),
    publicKey: subject.publicKey,
    extensions: peerExtensions({
      publicKey: subject.publicKey,
      authorityKey: authority.certificate.publicKey,
      purposes: subject.purposes ?? PURPOSES[subject.role],
      host: subject.host,
    }),
  })
  return new X509Certificate(signed(content, authority.key))
}

/** When a certificate ends, in milliseconds since 1970. */
export function endOf(certificate: X509Certificate): number {
  return certificate.validToDate.getTime()
}

/** Bytes as PEM (RFC 7468), under a label such as `CERTIFICATE` or `X509 CRL`. */
export function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** The bytes of the first PEM block with this label; null when there is none. */
export function fromPem(label: string, text: string): Uint8Array | null {
  const [, block] =
    new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(text) ?? []
  return block === undefined ? null : Buffer.from(block, 'base64')
}

type CertificateContent = {
  readonly serial: Uint8Array
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly beginsAtMs: number
  readonly endsAtMs: number
  readonly publicKey: KeyObject
  readonly extensions: Uint8Array
}

/** The `TBSCertificate` of RFC 5280, section 4.1. */
function tbsCertificate(content: CertificateContent): Uint8Array {
  return sequence(
    der(contextTag(0), smallInteger(2)),
    unsignedInteger(content.serial),
    SIGNATURE_ALGORITHM,
    content.issuer,
    sequence(derTime(content.beginsAtMs), derTime(content.endsAtMs)),
    content.subject,
    publicKeyInfo(content.publicKey),
    der(contextTag(3), content.extensions),
  )
}

/** Random, positive, and always of as many digits. */
function makeSerial(randomness: Randomness): Uint8Array {
  const serial = Uint8Array.from(randomness.bytes(SERIAL_BYTES))
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return serial
}

function unusable(where: string, what: string, cause?: unknown): BackupError {
  return new BackupError(ErrorCode.AuthorityUnusable, `Cannot use the authority in "${where}": ${what}`, {
    cause,
    data: { folder: where },
  })
}
