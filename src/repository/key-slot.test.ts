import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import * as v from 'valibot'

import { createKeySlot, keySlotSchema, openKeySlot, type KeySlot, type Secret } from './key-slot.ts'

const masterKey = new Uint8Array(randomBytes(32))
const binding = Buffer.from('what the configuration says')
const password: Secret = { kind: 'password', password: 'Grüße, friend' }
const recovery: Secret = { kind: 'recovery', key: randomBytes(32) }

async function slotOf(secret: Secret): Promise<KeySlot> {
  const about = { label: 'daily', createdAt: '2026-01-02T03:04:05.000Z' }
  const slot = await createKeySlot({ masterKey, secret, binding, randomBytes, ...about })
  assert.ok(v.is(keySlotSchema, slot))
  return slot
}

for (const secret of [password, recovery]) {
  test(`openKeySlot() gives the master key for the right ${secret.kind}, and nothing for anything else`, async () => {
    const slot = await slotOf(secret)
    assert.deepEqual(await openKeySlot(slot, { secret, binding }), masterKey)
    const others: Secret[] = [
      { kind: 'password', password: 'Grüße, fiend' },
      { kind: 'password', password: '' },
      { kind: 'recovery', key: randomBytes(32) },
    ]
    for (const other of others) assert.equal(await openKeySlot(slot, { secret: other, binding }), null)
    assert.equal(await openKeySlot(slot, { secret, binding: Buffer.from('what it said not') }), null)
  })

  test(`openKeySlot() refuses a slot of a ${secret.kind} that was changed`, async () => {
    const slot = await slotOf(secret)
    const wrapped = Buffer.from(slot.wrappedKey, 'base64')
    for (const at of [0, 11, 12, 43, 44, 59]) {
      const flipped = Buffer.from(wrapped)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      const changed = { ...slot, wrappedKey: flipped.toString('base64') }
      assert.equal(await openKeySlot(changed, { secret, binding }), null, `byte ${at}`)
    }
  })
}

test('createKeySlot() makes another slot each time', async () => {
  const [one, two] = [await slotOf(recovery), await slotOf(recovery)]
  assert.notEqual(one.wrappedKey, two.wrappedKey)
  assert.notEqual(one.id, two.id)
  assert.notEqual(one.kdf.salt, two.kdf.salt)
})

test('openKeySlot() takes a password however its accents were typed', async () => {
  const slot = await slotOf({ kind: 'password', password: 'Grüße' })
  const secret: Secret = { kind: 'password', password: 'Gru\u0308ße' }
  assert.deepEqual(await openKeySlot(slot, { secret, binding }), masterKey)
})
