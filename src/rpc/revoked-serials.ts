import { X509Certificate } from 'node:crypto'
import { fromPem } from './authority.ts'
import { readRevocationList, REVOCATION_LIST_LABEL } from './revocation-list.ts'
import type { TlsMaterial } from './tls-material.ts'

/** The serial numbers of the certificates that are revoked; TLS itself asks the same list when a connection is made. */
export function revokedSerials({ authority, revoked }: TlsMaterial): ReadonlySet<string> {
  const bytes = revoked === null ? null : fromPem(REVOCATION_LIST_LABEL, revoked)
  if (bytes === null) return new Set()
  const list = readRevocationList(bytes, new X509Certificate(authority))
  return new Set(list.revoked.map(({ serial }) => plainSerial(serial)))
}

/** Capital hexadecimal digits without zeros before them, so that two spellings of one number are equal. */
export function plainSerial(serial: string): string {
  return serial.toUpperCase().replace(/^0+(?=.)/, '')
}
