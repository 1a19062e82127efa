import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'

/** A certificate's name has no room for more (RFC 5280, ub-common-name). */
const NAME_LENGTH_MAX = 64
const FOREIGN_OR_PLAIN = /^[\w.\-\u{80}-\u{10FFFF}]+$/u

/**
 * A host as certificates name it: an address, or a DNS name in small letters. One host has one spelling, so that names can be
 * compared. Throws USAGE_WRONG.
 */
export function canonicalHost(text: string): string {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  if (isIPv4(bare)) return bare
  // The parser of addresses in URLs writes every address in one way; with hexadecimal digits only.
  if (isIPv6(bare) && !bare.includes('%')) return new URL(`http://[${bare}]`).hostname.slice(1, -1)
  // What is no part of a name would end it there: `a/b` would be `a`.
  const name = FOREIGN_OR_PLAIN.test(bare) ? domainToASCII(bare).toLowerCase() : ''
  const labels = name.split('.')
  const isName =
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  if (!isName || name.length > NAME_LENGTH_MAX) {
    const found = JSON.stringify(text.slice(0, 100))
    throw new BackupError(
      ErrorCode.UsageWrong,
      `Cannot use ${found} as the name of a host: required is a DNS name of at most ${NAME_LENGTH_MAX} letters, or an address`,
    )
  }
  return name
}
