import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { TlsMaterial } from './tls-material.ts'

/** What both sides hold to: TLS 1.3, their own authority and no other, its list of revoked ones where there is one. */
export function tlsOptions(tls: TlsMaterial): SecureContextOptions {
  return {
    key: tls.key,
    cert: tls.certificate,
    ca: tls.authority,
    minVersion: 'TLSv1.3',
    // A resumed session would not be looked at again: its certificate may be revoked by now.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(tls.revoked === null ? {} : { crl: tls.revoked }),
  }
}
