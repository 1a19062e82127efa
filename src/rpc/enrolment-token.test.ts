import assert from 'node:assert/strict'
import test from 'node:test'
import { X509Certificate } from 'node:crypto'
import { systemRandomness } from '../cli/system-randomness.ts'
import { systemClock } from '../domain/clock.ts'
import { makeAuthority } from './authority.ts'
import {
  fingerprintOf,
  formatEnrolmentToken,
  makeEnrolmentToken,
  parseEnrolmentToken,
} from './enrolment-token.ts'

const authority = new X509Certificate(
  makeAuthority({ clock: systemClock, randomness: systemRandomness }).certificate,
)

test('parseEnrolmentToken() reads what formatEnrolmentToken() writes, with blanks around it', () => {
  const token = makeEnrolmentToken(authority, systemRandomness)
  const text = formatEnrolmentToken(token)
  assert.match(text, /^[A-Za-z0-9_-]{72}$/)
  const read = parseEnrolmentToken(`  ${text}\r\n`)
  assert.deepEqual(Buffer.from(read.secret), Buffer.from(token.secret))
  assert.equal(read.secret.length, 18)
  assert.equal(
    Buffer.from(read.fingerprint).toString('hex').toUpperCase(),
    authority.fingerprint256.replaceAll(':', ''),
  )
  assert.deepEqual(Buffer.from(read.fingerprint), fingerprintOf(authority))
  assert.notEqual(formatEnrolmentToken(makeEnrolmentToken(authority, systemRandomness)), text)
})

test('parseEnrolmentToken() notices every mistyped character, and shows none', () => {
  const text = formatEnrolmentToken(makeEnrolmentToken(authority, systemRandomness))
  const wrong = [
    '',
    text.slice(1),
    `${text}A`,
    text.replace(/.$/, '='),
    'x'.repeat(100_000),
    ...Array.from(
      text,
      (letter, at) => `${text.slice(0, at)}${letter === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`,
    ),
  ]
  for (const mistyped of wrong) {
    assert.throws(
      () => parseEnrolmentToken(mistyped),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'ENROLMENT_REFUSED')
        assert.equal(mistyped.length > 8 && error.message.includes(mistyped.slice(0, 8)), false)
        return true
      },
    )
  }
})
