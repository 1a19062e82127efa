import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { systemClock } from '../domain/clock.ts'
import { MemoryStore } from '../stores/memory-store.ts'
import type { RepositoryConfig } from './config.ts'
import type { Secret } from './key-slot.ts'
import { replaceConfig, requireOpens, selectKeySlot, withKeySlot, withoutKeySlot } from './key-slots.ts'
import { createRepository, readConfig, unlock } from './repository.ts'

const CREATED_AT = '2026-11-22T16:51:00.000Z'
const ONE: Secret = { kind: 'recovery', key: randomBytes(32) }
const TWO: Secret = { kind: 'recovery', key: randomBytes(32) }
const WORD: Secret = { kind: 'password', password: 'one' }

async function repositoryWith(secrets: readonly Secret[]): Promise<{
  readonly store: MemoryStore
  readonly config: RepositoryConfig
}> {
  const store = new MemoryStore()
  const config = await createRepository(store, {
    chunkSizeBytes: 65_536,
    compression: { algorithm: 'none' },
    secrets: secrets.map((secret) => ({ secret, label: secret.kind })),
    clock: systemClock,
    randomness: { below: () => 0, bytes: (count) => randomBytes(count) },
  })
  return { store, config }
}

const added = async (config: RepositoryConfig, secret: Secret): Promise<RepositoryConfig> =>
  (
    await withKeySlot(config, {
      masterKey: await unlock(config, { secret: ONE, where: 'memory' }),
      secret,
      label: 'more',
      createdAt: CREATED_AT,
      randomBytes: (count) => randomBytes(count),
    })
  ).next

test('withKeySlot() adds a slot that opens the same master key', async () => {
  const { config } = await repositoryWith([ONE])
  const next = await added(config, WORD)
  assert.deepEqual(
    await unlock(next, { secret: WORD, where: 'memory' }),
    await unlock(config, { secret: ONE, where: 'memory' }),
  )
  assert.deepEqual(next.keySlots.slice(0, 1), config.keySlots)
})

test('withKeySlot() refuses more slots than a configuration may have', async () => {
  const { config } = await repositoryWith([ONE])
  const [slot] = config.keySlots
  assert.ok(slot)
  const full = { ...config, keySlots: Array.from({ length: 64 }, () => slot) }
  await assert.rejects(added(full, TWO), { code: 'USAGE_WRONG' })
})

test('withoutKeySlot() keeps the last slot and the only recovery key', async () => {
  const { config } = await repositoryWith([ONE])
  const [first] = config.keySlots
  assert.ok(first)
  assert.throws(() => withoutKeySlot(config, first), {
    code: 'KEY_SLOT_NEEDED',
    message: /it is the last one/,
  })
  const withWord = await added(config, WORD)
  assert.throws(() => withoutKeySlot(withWord, first), {
    code: 'KEY_SLOT_NEEDED',
    message: /only recovery key/,
  })
  const withTwo = await added(withWord, TWO)
  assert.deepEqual(
    withoutKeySlot(withTwo, first).keySlots.map((slot) => slot.kind),
    ['password', 'recovery'],
  )
})

test('requireOpens() wants a secret of a slot that stays', async () => {
  const { config } = await repositoryWith([ONE, TWO])
  const [first] = config.keySlots
  assert.ok(first)
  const configs = { now: config, next: withoutKeySlot(config, first) }
  await requireOpens(configs, { secret: TWO, where: 'memory' })
  await assert.rejects(requireOpens(configs, { secret: ONE, where: 'memory' }), { code: 'KEY_SLOT_NEEDED' })
  const wrong: Secret = { kind: 'recovery', key: randomBytes(32) }
  await assert.rejects(requireOpens(configs, { secret: wrong, where: 'memory' }), { code: 'PASSWORD_WRONG' })
})

test('selectKeySlot() takes a number of the list or the first digits of an id', async () => {
  const { keySlots } = (await repositoryWith([ONE, TWO])).config
  const [first, second] = keySlots
  assert.ok(first && second)
  assert.equal(selectKeySlot(keySlots, '2'), second)
  assert.equal(selectKeySlot(keySlots, first.id), first)
  assert.equal(selectKeySlot(keySlots, first.id.slice(0, 8)), first)
  const alike = { ...second, id: `${first.id.slice(0, 15)}${first.id.endsWith('0') ? '1' : '0'}` }
  assert.throws(() => selectKeySlot([first, alike], first.id.slice(0, 15)), { message: /2 ids begin so/ })
  for (const wrong of ['0', '3', '99', 'abc', 'password', '']) {
    assert.throws(() => selectKeySlot(keySlots, wrong), { code: 'KEY_SLOT_MISSING' })
  }
})

test('replaceConfig() writes nothing when the configuration was changed meanwhile', async () => {
  const { store, config } = await repositoryWith([ONE])
  const mine = await added(config, TWO)
  const theirs = await added(config, { kind: 'recovery', key: randomBytes(32) })
  await replaceConfig(store, { now: config, next: theirs })
  await assert.rejects(replaceConfig(store, { now: config, next: mine }), {
    code: 'CONFIG_CHANGED',
    message: /nothing was changed$/,
  })
  assert.deepEqual(await readConfig(store), theirs)
})

test('replaceConfig() notices a change in the moment of its own', async () => {
  const { store, config } = await repositoryWith([ONE])
  const mine = await added(config, TWO)
  const before = store.objects.get('config')
  assert.ok(before)
  store.flush = () => {
    store.objects.set('config', before)
    return Promise.resolve()
  }
  await assert.rejects(replaceConfig(store, { now: config, next: mine }), { code: 'CONFIG_CHANGED' })
})
