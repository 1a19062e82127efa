import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { DerError, DerReader } from './der-reader.ts'
import { contextTag, der, DerTag, sequence } from './der-writer.ts'
import { readSigned } from './read-signed.ts'
import { CURVE, distinguishedName, publicKeyInfo, signed } from './x509-parts.ts'

/** A request with one key and one name has some 300 bytes. */
const REQUEST_BYTES_MAX = 4096

/**
 * A PKCS #10 request (RFC 2986) for a key: it proves that its sender has the private half. The names in it mean nothing: the
 * authority knows whom it asked.
 */
export function makeSigningRequest(keys: {
  readonly key: KeyObject
  readonly publicKey: KeyObject
}): Uint8Array {
  const content = sequence(
    der(DerTag.Integer, Uint8Array.of(0)),
    distinguishedName({ commonName: 'icecore' }),
    publicKeyInfo(keys.publicKey),
    der(contextTag(0)),
  )
  return signed(content, keys.key)
}

/** The public key of a request that is signed with its private half. Throws CERTIFICATE_REFUSED. */
export function readSigningRequest(request: Uint8Array): KeyObject {
  try {
    if (request.length > REQUEST_BYTES_MAX) {
      throw new DerError(`it is ${request.length} bytes long, more than ${REQUEST_BYTES_MAX}`)
    }
    return keyOf(request)
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    const message = `Cannot sign the request for a certificate: ${cause.message}; required is a PKCS #10 request of a P-256 key, signed with SHA-256`
    throw new BackupError(ErrorCode.CertificateRefused, message, { cause })
  }
}

function keyOf(request: Uint8Array): KeyObject {
  const { whole, content, signature } = readSigned(request, 'the request')
  const inner = new DerReader(content)
  inner.take(DerTag.Integer, 'the version')
  inner.take(DerTag.Sequence, 'the name')
  const key = readPublicKey(inner.take(DerTag.Sequence, 'the public key').whole)
  if (!verify('sha256', whole, key, signature)) throw new DerError('its signature is wrong')
  return key
}

function readPublicKey(info: Uint8Array): KeyObject {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(info), format: 'der', type: 'spki' })
  } catch {
    throw new DerError('its public key cannot be read')
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== CURVE) {
    throw new DerError(`its key is of another kind (${key.asymmetricKeyType ?? 'unknown'})`)
  }
  return key
}
