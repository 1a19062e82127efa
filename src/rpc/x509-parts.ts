import { createHash, type KeyObject, sign, type X509Certificate } from 'node:crypto'
import { DerReader } from './der-reader.ts'
import {
  bitString,
  contextTag,
  der,
  DerTag,
  objectId,
  plainContextTag,
  sequence,
  utf8String,
} from './der-writer.ts'

/**
 * What certificates, requests and revocation lists share, from RFC 5280 (X.509), RFC 2986 (PKCS #10) and RFC 5758 (ECDSA
 * with SHA-2). Everything is on the curve P-256 and signed over SHA-256: every TLS 1.2 and 1.3 takes that.
 */
export const SIGNATURE_ALGORITHM: Uint8Array = sequence(objectId('1.2.840.10045.4.3.2'))
export const CURVE = 'prime256v1'

const ObjectId = {
  CommonName: '2.5.4.3',
  OrganizationalUnit: '2.5.4.11',
  SubjectKeyIdentifier: '2.5.29.14',
  KeyUsage: '2.5.29.15',
  SubjectAlternativeName: '2.5.29.17',
  BasicConstraints: '2.5.29.19',
  RevocationListNumber: '2.5.29.20',
  AuthorityKeyIdentifier: '2.5.29.35',
  ExtendedKeyUsage: '2.5.29.37',
} as const

export const REVOCATION_LIST_NUMBER: Uint8Array = objectId(ObjectId.RevocationListNumber)

export const KeyPurpose = { Server: '1.3.6.1.5.5.7.3.1', Client: '1.3.6.1.5.5.7.3.2' } as const
export type KeyPurpose = (typeof KeyPurpose)[keyof typeof KeyPurpose]

const CRITICAL = der(DerTag.Boolean, Uint8Array.of(0xff))

/** What the signer signed, the algorithm, and the signature: certificates, requests and lists are all made so. */
export function signed(content: Uint8Array, key: KeyObject): Uint8Array {
  return sequence(content, SIGNATURE_ALGORITHM, bitString(sign('sha256', content, key)))
}

export function distinguishedName(name: { readonly commonName: string; readonly unit?: string }): Uint8Array {
  const { commonName, unit } = name
  return sequence(
    attribute(ObjectId.CommonName, commonName),
    ...(unit === undefined ? [] : [attribute(ObjectId.OrganizationalUnit, unit)]),
  )
}

function attribute(id: string, text: string): Uint8Array {
  return der(DerTag.Set, sequence(objectId(id), utf8String(text)))
}

export function publicKeyInfo(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' })
}

/** The subject's name as it lies in a certificate: an issuer is named by the very same bytes. */
export function subjectBytes(certificate: X509Certificate): Uint8Array {
  const content = new DerReader(certificate.raw)
    .enter(DerTag.Sequence, 'the certificate')
    .enter(DerTag.Sequence, 'its content')
  content.takeIf(contextTag(0), 'the version')
  content.take(DerTag.Integer, 'the serial number')
  content.take(DerTag.Sequence, 'the algorithm')
  content.take(DerTag.Sequence, 'the issuer')
  content.take(DerTag.Sequence, 'the validity')
  return content.take(DerTag.Sequence, 'the subject').whole
}

/** Of a certificate that may sign others and lists, and nothing else. */
export function authorityExtensions(key: KeyObject): Uint8Array {
  const mayCertify = sequence(der(DerTag.Boolean, Uint8Array.of(0xff)), der(DerTag.Integer, Uint8Array.of(0)))
  return sequence(
    extension(ObjectId.BasicConstraints, mayCertify, CRITICAL),
    // keyCertSign is bit 5, cRLSign bit 6.
    extension(ObjectId.KeyUsage, bitString(Uint8Array.of(0b0000_0110), 1), CRITICAL),
    extension(ObjectId.SubjectKeyIdentifier, der(DerTag.OctetString, keyIdentifier(key))),
  )
}

/** Of a certificate that proves in TLS who somebody is. */
export function peerExtensions(peer: {
  readonly publicKey: KeyObject
  readonly authorityKey: KeyObject
  readonly purposes: readonly KeyPurpose[]
  /** A name or an address; null for who is not connected to. */
  readonly host: string | null
}): Uint8Array {
  return sequence(
    extension(ObjectId.BasicConstraints, sequence(), CRITICAL),
    // digitalSignature is bit 0.
    extension(ObjectId.KeyUsage, bitString(Uint8Array.of(0b1000_0000), 7), CRITICAL),
    extension(ObjectId.ExtendedKeyUsage, sequence(...peer.purposes.map(objectId))),
    ...(peer.host === null ? [] : [extension(ObjectId.SubjectAlternativeName, hostNames(peer.host))]),
    extension(ObjectId.SubjectKeyIdentifier, der(DerTag.OctetString, keyIdentifier(peer.publicKey))),
    authorityKeyIdentifier(peer.authorityKey),
  )
}

export function authorityKeyIdentifier(key: KeyObject): Uint8Array {
  return extension(ObjectId.AuthorityKeyIdentifier, sequence(der(plainContextTag(0), keyIdentifier(key))))
}

export function revocationListNumber(number: Uint8Array): Uint8Array {
  return extension(ObjectId.RevocationListNumber, number)
}

function extension(id: string, value: Uint8Array, ...critical: readonly Uint8Array[]): Uint8Array {
  return sequence(objectId(id), ...critical, der(DerTag.OctetString, value))
}

/** RFC 7093's first method: 160 bits of the SHA-256 of the key's point. */
function keyIdentifier(key: KeyObject): Uint8Array {
  const info = new DerReader(publicKeyInfo(key)).enter(DerTag.Sequence, 'the public key')
  info.take(DerTag.Sequence, 'its algorithm')
  const point = info.take(DerTag.BitString, 'its point').content.subarray(1)
  return createHash('sha256').update(point).digest().subarray(0, 20)
}

const DNS_NAME = 2
const IP_ADDRESS = 7

function hostNames(host: string): Uint8Array {
  const address = addressBytes(host)
  return sequence(
    address === null
      ? der(plainContextTag(DNS_NAME), Buffer.from(host, 'latin1'))
      : der(plainContextTag(IP_ADDRESS), address),
  )
}

/** Four or sixteen bytes; null for what is no address. */
function addressBytes(host: string): Uint8Array | null {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return Uint8Array.from(host.split('.').map(Number))
  if (!host.includes(':')) return null
  const [head = '', tail] = host.split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0)
  const groups = [...before, ...zeros, ...after]
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]))
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}
