import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { peerOf } from '../../rpc/peer.ts'
import type { CertificateFacts } from './certificate-check.ts'

/** What a certificate says, and whether the authority signed it. `host` is what its owner is called; null for who is not called. */
export function certificateFacts(
  certificate: X509Certificate,
  by: { readonly authority: X509Certificate; readonly host: string | null; readonly isRevoked: boolean },
): CertificateFacts {
  const { authority, host, isRevoked } = by
  const isForHost =
    host === null ||
    (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined
  return {
    ...whoseIs(certificate),
    beginsAtMs: certificate.validFromDate.getTime(),
    endsAtMs: certificate.validToDate.getTime(),
    isOfAuthority: certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
    wrongHost: isForHost ? null : { called: host, named: certificate.subjectAltName ?? 'no host' },
    isRevoked,
  }
}

function whoseIs(certificate: X509Certificate): { readonly name: string; readonly role: string } {
  try {
    return peerOf(certificate)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { name: certificate.subject, role: 'none' }
  }
}
