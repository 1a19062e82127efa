import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { formatRecoveryKey, parseRecoveryKey } from './recovery-key.ts'

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const PREFIX = 'icecore-recovery-1 '

test('parseRecoveryKey() undoes formatRecoveryKey()', () => {
  fc.assert(
    fc.property(key, (bytes) => {
      const text = formatRecoveryKey(bytes)
      assert.match(text, /^icecore-recovery-1 ([0-9A-HJKMNP-TV-Z]{7}-){7}[0-9A-HJKMNP-TV-Z]{7}$/)
      assert.deepEqual(Buffer.from(parseRecoveryKey(text) ?? []), Buffer.from(bytes))
    }),
  )
  for (const fill of [0, 255]) {
    const bytes = new Uint8Array(32).fill(fill)
    assert.deepEqual(Buffer.from(parseRecoveryKey(formatRecoveryKey(bytes)) ?? []), Buffer.from(bytes))
  }
})

test('parseRecoveryKey() forgives how it was written down', () => {
  fc.assert(
    fc.property(key, (bytes) => {
      const digits = formatRecoveryKey(bytes).slice(PREFIX.length)
      for (const written of [
        digits.toLowerCase(),
        digits.replaceAll('-', ''),
        digits.replaceAll('-', ' '),
        digits.replaceAll('-', '\n'),
        digits.replaceAll('0', 'O').replaceAll('1', 'l'),
        digits.replaceAll('0', 'o').replaceAll('1', 'I'),
      ]) {
        assert.deepEqual(
          Buffer.from(parseRecoveryKey(`  ${PREFIX}${written}\n`) ?? []),
          Buffer.from(bytes),
          written,
        )
      }
    }),
    { numRuns: 20 },
  )
})

test('parseRecoveryKey() tells a typing mistake from a wrong key', () => {
  fc.assert(
    fc.property(key, fc.nat(55), fc.nat(30), (bytes, at, step) => {
      const digits = formatRecoveryKey(bytes).slice(PREFIX.length).replaceAll('-', '')
      const typed = ALPHABET[(ALPHABET.indexOf(digits[at] ?? '') + 1 + step) % 32] ?? ''
      assert.throws(
        () => parseRecoveryKey(`${PREFIX}${digits.slice(0, at)}${typed}${digits.slice(at + 1)}`),
        /check digits/,
      )
    }),
    { seed: 1 }, // One mistake in a million has the same check digits.
  )
  const digits = formatRecoveryKey(new Uint8Array(32).fill(9)).slice(PREFIX.length)
  assert.throws(() => parseRecoveryKey(`${PREFIX}${digits.slice(1)}`), /found 55/)
  assert.throws(() => parseRecoveryKey(`${PREFIX}${digits}0`), /found 57/)
  assert.throws(() => parseRecoveryKey(`${PREFIX}${digits.replace(/.$/, 'U')}`), SyntaxError)
  assert.throws(() => parseRecoveryKey(PREFIX), SyntaxError)
})

test('parseRecoveryKey() takes anything else for no recovery key', () => {
  for (const text of ['', 'a password', 'icecore-recovery-2 0000000', '0000000-0000000']) {
    assert.equal(parseRecoveryKey(text), null)
  }
})
