import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { connectionFailed, silent } from './error-from-wire.ts'
import { Outage } from './outage.ts'

const TIMES = { connectMs: 10_000, outageMs: 60_000, lastAttemptMs: 3000 }
const NOBODY = connectionFailed('db1:8770', 'nothing listens there')

type Scene = { readonly outage: Outage; pass: (ms: number) => void }

function reached(): Scene {
  let nowMs = 1000
  const outage = new Outage(TIMES, () => nowMs)
  outage.end()
  return { outage, pass: (ms) => (nowMs += ms) }
}

test('Outage gives an agent up when all calls together found nobody for so long', () => {
  const { outage, pass } = reached()
  for (let second = 0; second < 60; second += 10) {
    outage.note(NOBODY)
    assert.equal(outage.mayPass(NOBODY), true)
    assert.equal(outage.verdict(NOBODY), NOBODY)
    outage.requireHope()
    pass(10_000)
  }
  assert.equal(outage.connectMs, 3000)
  outage.note(NOBODY)
  assert.equal(outage.mayPass(NOBODY), false)
  const told = 'Cannot reach agent "db1:8770": nothing listens there; it was tried again for 60 s'
  const given = { code: ErrorCode.ConnectionFailed, message: told }
  assert.throws(() => outage.requireHope(), given)
  // What others throw is not said twice.
  const verdict = outage.verdict(NOBODY)
  assert.equal(outage.verdict(verdict), verdict)
  pass(10_000)
  outage.requireHope()
  outage.note(NOBODY)
  assert.throws(() => outage.requireHope(), given)
  outage.end()
  outage.requireHope()
  assert.deepEqual([outage.isKnown, outage.connectMs], [false, 10_000])
})

test('Outage begins anew after a time in which nobody asked for anything', () => {
  const { outage, pass } = reached()
  outage.note(NOBODY)
  pass(3_600_000)
  outage.note(NOBODY)
  assert.equal(outage.mayPass(NOBODY), true)
})

test('Outage lets nobody wait for an agent that never was there, or that answers', () => {
  const never = new Outage(TIMES, () => 0)
  never.note(NOBODY)
  assert.equal(never.mayPass(NOBODY), false)
  assert.equal(never.verdict(NOBODY), NOBODY)
  const { outage } = reached()
  const refusal = new BackupError(ErrorCode.AgentRefused, 'Cannot do it: the moon is full')
  for (const answer of [refusal, silent('db1:8770', 60_000)]) {
    outage.note(answer)
    assert.equal(outage.mayPass(answer), false)
    assert.equal(outage.isKnown, false)
  }
})

test('Outage lets what tidies up try once, and shortly', () => {
  const { outage } = reached()
  outage.connectionLost()
  assert.equal(outage.isKnown, true)
  outage.hurry()
  assert.equal(outage.connectMs, 3000)
  outage.note(NOBODY)
  assert.equal(outage.mayPass(NOBODY), false)
  assert.equal(outage.verdict(NOBODY), NOBODY)
})
