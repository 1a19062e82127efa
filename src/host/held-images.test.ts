import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeldImage } from '../capture/provider/held-image.ts'
import { systemClock } from '../domain/clock.ts'
import { ownProcessIdentity, processWord } from '../linux/process-identity.ts'
import { isAbandoned } from './held-images.ts'

const now = systemClock.now()
const own = ownProcessIdentity()
const past = now.getTime() - 1000
const future = now.getTime() + 1000

function held(use: HeldImage['use']): HeldImage {
  const cost = { heldBytes: null, roomBytes: null }
  return { provider: 'lvm', id: 'i', label: 'l', source: 's', lineageKey: 'k', createdAtMs: 0, cost, use }
}

test('isAbandoned() spares the image of a run that goes on, however long it takes', () => {
  const owner = processWord(own)
  assert.equal(isAbandoned(held({ kind: 'run', leaseEndsAtMs: past, owner }), now), false)
})

test('isAbandoned() gives up the image of a run that was killed, before its lease ends', () => {
  const owner = processWord({ ...own, pidStart: own.pidStart + 1 })
  assert.equal(isAbandoned(held({ kind: 'run', leaseEndsAtMs: future, owner }), now), true)
})

test('isAbandoned() leaves the image of another host alone until its lease ends', () => {
  const owner = processWord({ ...own, host: 'another' })
  assert.equal(isAbandoned(held({ kind: 'run', leaseEndsAtMs: future, owner }), now), false)
  assert.equal(isAbandoned(held({ kind: 'run', leaseEndsAtMs: past, owner }), now), true)
})

test('isAbandoned() never gives up a base', () => {
  assert.equal(isAbandoned(held({ kind: 'base', pointId: 'ab'.repeat(32) }), now), false)
})
