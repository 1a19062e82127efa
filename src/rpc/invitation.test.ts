import assert from 'node:assert/strict'
import test from 'node:test'
import { systemRandomness } from '../cli/system-randomness.ts'
import { clockAt } from '../../test/support/shifted-clock.ts'
import { proofOf } from './enrolment-token.ts'
import { Invitation } from './invitation.ts'

const secret = systemRandomness.bytes(18)
const signingRequest = Buffer.from('a request')
const right = { signingRequest, proof: proofOf(secret, signingRequest) }
const wrong = { signingRequest, proof: proofOf(systemRandomness.bytes(18), signingRequest) }
const now = clockAt(0)
const expiresAtMs = now.now().getTime() + 60_000

function issue(): Promise<string> {
  return Promise.resolve('issued')
}

test('take() works once', async () => {
  const invitation = new Invitation({ secret, expiresAtMs, clock: now })
  assert.equal(await invitation.take(right, issue), 'issued')
  assert.equal(invitation.isVoid, false)
  await assert.rejects(invitation.take(right, issue), {
    code: 'ENROLMENT_REFUSED',
    message: /the invitation was taken already/,
  })
})

test('take() works for one of two at once', async () => {
  const invitation = new Invitation({ secret, expiresAtMs, clock: now })
  const both = await Promise.allSettled([invitation.take(right, issue), invitation.take(right, issue)])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
})

test('take() wants the secret for this very request, and bears with four mistakes', async () => {
  const invitation = new Invitation({ secret, expiresAtMs, clock: now })
  const attempts = [
    wrong,
    { ...right, signingRequest: Buffer.from('another request') },
    { ...right, proof: right.proof.subarray(1) },
    { ...right, proof: new Uint8Array() },
  ]
  for (const attempt of attempts) {
    await assert.rejects(invitation.take(attempt, issue), { message: /not that of this invitation/ })
  }
  assert.equal(await invitation.take(right, issue), 'issued')

  const guessed = new Invitation({ secret, expiresAtMs, clock: now })
  for (let attempt = 0; attempt < 5; attempt++) await assert.rejects(guessed.take(wrong, issue))
  assert.equal(guessed.isVoid, true)
  await assert.rejects(guessed.take(right, issue), { message: /tried too often/ })
})

test('take() ends when its time is over', async () => {
  const invitation = new Invitation({ secret, expiresAtMs, clock: clockAt(1) })
  await assert.rejects(invitation.take(right, issue), { message: /has expired/ })
  assert.equal(invitation.isVoid, true)
})

test('take() stays open for who has the token, when what was asked for cannot be signed', async () => {
  const invitation = new Invitation({ secret, expiresAtMs, clock: now })
  await assert.rejects(
    invitation.take(right, () => Promise.reject(new Error('no'))),
    { message: 'no' },
  )
  assert.equal(await invitation.take(right, issue), 'issued')
})
