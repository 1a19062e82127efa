import { createHash, createHmac, timingSafeEqual, type X509Certificate } from 'node:crypto'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Randomness } from '../domain/randomness.ts'

/** Where a mover waits for who is invited. */
export const ENROLMENT_PORT = 8771

// The layout is in proto/icecore/v1/enrolment.proto.
const VERSION = 1
const SECRET_BYTES = 18
const FINGERPRINT_BYTES = 32
const CHECK_BYTES = 3
const TOKEN_BYTES = 1 + SECRET_BYTES + FINGERPRINT_BYTES + CHECK_BYTES

/** What an invited agent knows: a secret that only it has, and whom to tell that it has it. */
export type EnrolmentToken = {
  readonly secret: Uint8Array
  /** SHA-256 of the authority's certificate. */
  readonly fingerprint: Uint8Array
}

export function makeEnrolmentToken(authority: X509Certificate, randomness: Randomness): EnrolmentToken {
  return { secret: randomness.bytes(SECRET_BYTES), fingerprint: fingerprintOf(authority) }
}

/** 72 letters and digits, `-` and `_`. */
export function formatEnrolmentToken(token: EnrolmentToken): string {
  const content = Buffer.concat([Uint8Array.of(VERSION), token.secret, token.fingerprint])
  return Buffer.concat([content, checkOf(content)]).toString('base64url')
}

/** Throws ENROLMENT_REFUSED, without the text: it is a secret. */
export function parseEnrolmentToken(text: string): EnrolmentToken {
  const trimmed = text.trim()
  const bytes = /^[A-Za-z0-9_-]{72}$/.test(trimmed) ? Buffer.from(trimmed, 'base64url') : Buffer.alloc(0)
  const content = bytes.subarray(0, TOKEN_BYTES - CHECK_BYTES)
  const isWhole =
    bytes.length === TOKEN_BYTES && checkOf(content).equals(bytes.subarray(TOKEN_BYTES - CHECK_BYTES))
  if (!isWhole)
    throw unreadable(`it is not whole, or mistyped: ${trimmed.length} characters, required are 72`)
  if (bytes[0] !== VERSION) throw unreadable('it is of a newer version of icecore')
  return {
    secret: content.subarray(1, 1 + SECRET_BYTES),
    fingerprint: content.subarray(1 + SECRET_BYTES),
  }
}

export function fingerprintOf(authority: X509Certificate): Buffer {
  return createHash('sha256').update(authority.raw).digest()
}

/** What shows that whoever sends this request has the token. */
export function proofOf(secret: Uint8Array, signingRequest: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(signingRequest).digest()
}

/** In a time that tells nothing. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function checkOf(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, CHECK_BYTES)
}

function unreadable(what: string): BackupError {
  return new BackupError(ErrorCode.EnrolmentRefused, `Cannot read the token: ${what}`)
}
