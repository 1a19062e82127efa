import assert from 'node:assert/strict'
import { test } from 'node:test'

import { failingStore } from '../../test/support/failing-store.ts'
import { backUpInThread, openIndex, testRepository } from '../../test/support/in-thread-backup.ts'
import { sampleImage } from '../../test/support/sample-image.ts'
import { ErrorCode } from '../domain/backup-error.ts'
import { MemoryStore } from '../stores/memory-store.ts'
import { condemnPacks, readCondemned } from './condemned.ts'
import { CONDEMNED_PREFIX, INDEX_PREFIX, PACKS_PREFIX, WRITERS_PREFIX } from './object-names.ts'
import type { Repository } from './repository.ts'
import { listAll } from './store.ts'
import { listWriters, putWriter, removeWriter, type WriterRecord } from './writers.ts'

async function filled(): Promise<{ repository: Repository; store: MemoryStore; packIds: string[] }> {
  const store = new MemoryStore()
  const repository = testRepository(store)
  await backUpInThread(repository, { image: sampleImage(1, 300_000), seed: 1 })
  const packIds = (await listAll(store, PACKS_PREFIX)).map((name) => name.slice(-64))
  return { repository, store, packIds }
}

test('loadIndex() names every pack once, from a segment or from its own directory', async () => {
  const { repository, store, packIds } = await filled()
  for (const how of ['sound', 'no segments', 'damaged segments'] as const) {
    for (const name of await listAll(store, INDEX_PREFIX)) {
      if (how === 'damaged segments') await store.replace(name, new Uint8Array(1000))
      if (how === 'no segments') await store.delete(name)
    }
    using index = await openIndex(repository)
    const { loaded } = index
    assert.deepEqual([...loaded.packIds].toSorted(), packIds.toSorted())
    assert.deepEqual([...loaded.local.packIds()].toSorted(), packIds.toSorted())
    assert.equal(loaded.unindexed.length, how === 'sound' ? 0 : packIds.length)
    assert.equal(loaded.damagedSegments.length, how === 'damaged segments' ? 1 : 0)
    assert.equal(loaded.condemned.size, 0)
    if (how === 'no segments') await store.put(`${INDEX_PREFIX}${'ab'.repeat(32)}`, new Uint8Array(5))
  }
})

test('loadIndex() gives up packs that the store lacks, and says which cannot be read', async () => {
  const { repository, store, packIds } = await filled()
  const [gone, broken] = (await listAll(store, PACKS_PREFIX)).toSorted()
  assert(gone !== undefined && broken !== undefined)
  await store.delete(gone)
  {
    using index = await openIndex(repository)
    assert.deepEqual([...index.loaded.condemned], [gone.slice(-64)])
  }
  for (const name of await listAll(store, INDEX_PREFIX)) await store.delete(name)
  await store.replace(broken, new Uint8Array(4096))
  using index = await openIndex(repository)
  assert.equal(index.loaded.unindexed.length, packIds.length - 2)
  assert.deepEqual(
    index.loaded.unreadablePacks.map((pack) => pack.name.slice(-64)),
    [broken.slice(-64)],
  )
})

test('readCondemned() has all packs that were fenced off; a damaged list fences none', async () => {
  const { repository, store, packIds } = await filled()
  const salt = new Uint8Array(32)
  await condemnPacks(store, repository.sealing, { packIds: packIds.slice(0, 2), salt })
  await condemnPacks(store, repository.sealing, { packIds: packIds.slice(1, 3), salt })
  const found = await readCondemned(store, repository.sealing)
  assert.deepEqual([...found].toSorted(), packIds.slice(0, 3).toSorted())
  for (const failingAt of [0, 1, 2]) {
    const failing = failingStore(store, { kind: 'failed', failingAt })
    await assert.rejects(readCondemned(failing, repository.sealing), { code: ErrorCode.StoreFailed })
  }
  for (const name of await listAll(store, CONDEMNED_PREFIX)) await store.replace(name, new Uint8Array(99))
  assert.deepEqual(await readCondemned(store, repository.sealing), new Set())
})

const record: WriterRecord = {
  id: '0123456789abcdef',
  host: 'here',
  bootId: 'boot',
  pid: 7,
  pidStart: 8,
  startedAt: '2026-01-02T03:04:05.000Z',
}

test('listWriters() has every record, one that cannot be read as that of somebody unknown', async () => {
  const store = new MemoryStore()
  await putWriter(store, record)
  assert.deepEqual(await listWriters(store), [record])
  await assert.rejects(putWriter(store, record), { code: ErrorCode.StoreObjectExists })
  await store.put(`${WRITERS_PREFIX}fedcba9876543210`, Buffer.from('{"id":'))
  await store.put(`${WRITERS_PREFIX}fedcba9876543211`, Buffer.from('{"id":"fedcba9876543212"}'))
  const writers = await listWriters(store)
  assert.equal(writers.length, 3)
  assert.deepEqual(
    writers.filter((one) => one.host === 'unknown').map((one) => one.id),
    ['fedcba9876543210', 'fedcba9876543211'],
  )
  await removeWriter(store, record.id)
  assert.equal((await listWriters(store)).length, 2)
})

test('listWriters() takes a record that the store keeps back for that of a writer that is alive', async () => {
  const inner = new MemoryStore()
  await putWriter(inner, record)
  const store = failingStore(inner, { kind: 'failed', failingAt: 1 }) // 0 is the list.
  assert.deepEqual(
    (await listWriters(store)).map(({ id, host }) => [id, host]),
    [[record.id, 'unknown']],
  )
})
