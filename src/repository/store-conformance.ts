import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../domain/backup-error.ts'
import { listAll, type Store } from './store.ts'

export type StoreCase = AsyncDisposable & { readonly store: Store }

const LIMIT = 2 ** 20
const bytesOf = (...bytes: readonly number[]): Uint8Array => Uint8Array.from(bytes)
const plain = (bytes: Uint8Array): number[] => [...bytes]

/** What every store does, and nothing less: the rest of icecore relies on it. */
export function storeConformance(name: string, open: () => Promise<StoreCase>): void {
  const check = (what: string, body: (store: Store) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      await using opened = await open()
      await body(opened.store)
    })
  }
  writingConformance(check)
  readingConformance(check)
  listingConformance(check)
}

type Check = (what: string, body: (store: Store) => Promise<void>) => void

function writingConformance(check: Check): void {
  check('put() stores bytes and refuses a name that exists', async (store) => {
    await store.put('packs/ab/first', bytesOf(1, 2, 3))
    await assert.rejects(store.put('packs/ab/first', bytesOf(9)), { code: ErrorCode.StoreObjectExists })
    assert.deepEqual(plain(await store.get('packs/ab/first', LIMIT)), [1, 2, 3])
    await store.flush()
  })

  check('put() keeps its own copy', async (store) => {
    const bytes = bytesOf(1, 2, 3)
    await store.put('config', bytes)
    bytes.fill(7)
    const read = await store.get('config', LIMIT)
    read.fill(8)
    assert.deepEqual(plain(await store.get('config', LIMIT)), [1, 2, 3])
  })

  check('put() takes an object without bytes', async (store) => {
    await store.put('points/empty', new Uint8Array(0))
    assert.equal(await store.sizeOf('points/empty'), 0)
    assert.deepEqual(plain(await store.get('points/empty', 0)), [])
  })

  check('put() at once: one of many writers of a name wins, whole', async (store) => {
    const writers = Array.from({ length: 8 }, (_, number) => new Uint8Array(5000).fill(number))
    const results = await Promise.allSettled(writers.map((bytes) => store.put('points/one', bytes)))
    const won = [...results.keys()].filter((number) => results[number]?.status === 'fulfilled')
    assert.equal(won.length, 1)
    assert.deepEqual(plain(await store.get('points/one', LIMIT)), plain(writers[won[0] ?? 0] ?? bytesOf()))
    for (const result of results) {
      if (result.status === 'rejected') assert.equal(result.reason.code, ErrorCode.StoreObjectExists)
    }
  })

  check('put() of many names at once stores each', async (store) => {
    const names = Array.from({ length: 50 }, (_, number) => `packs/${number % 7}/${number}`)
    await Promise.all(names.map((name, number) => store.put(name, new Uint8Array(100).fill(number))))
    await Promise.all([store.flush(), store.flush()])
    for (const [number, name] of names.entries()) assert.equal((await store.get(name, LIMIT))[99], number)
    assert.deepEqual((await listAll(store, 'packs/')).toSorted(), names.toSorted())
  })

  check('replace() stores bytes whether the name exists or not', async (store) => {
    await store.replace('config', bytesOf(1))
    await store.replace('config', bytesOf(2, 3))
    assert.deepEqual(plain(await store.get('config', LIMIT)), [2, 3])
    const target = new Uint8Array(2)
    await store.readInto('config', target, 0)
    await store.replace('config', bytesOf(4, 5))
    await store.readInto('config', target, 0)
    assert.deepEqual(plain(target), [4, 5])
  })

  check('delete() removes an object, and one that is not there is no failure', async (store) => {
    await store.put('points/gone', bytesOf(1, 2))
    await store.readInto('points/gone', new Uint8Array(2), 0)
    await store.delete('points/gone')
    await store.delete('points/gone')
    await store.delete('never/was')
    assert.equal(await store.sizeOf('points/gone'), null)
    assert.deepEqual(await listAll(store, 'points/'), [])
    const missing = { code: ErrorCode.StoreObjectMissing }
    await assert.rejects(store.get('points/gone', LIMIT), missing)
    await assert.rejects(store.readInto('points/gone', new Uint8Array(1), 0), missing)
    await store.put('points/gone', bytesOf(3))
    assert.deepEqual(plain(await store.get('points/gone', LIMIT)), [3])
    await store.flush()
  })
}

function readingConformance(check: Check): void {
  check('get() refuses more than its limit, and what is not there', async (store) => {
    await store.put('config', bytesOf(1, 2, 3))
    assert.equal((await store.get('config', 3)).byteLength, 3)
    await assert.rejects(store.get('config', 2), { code: ErrorCode.StoreFailed })
    await assert.rejects(store.get('points/none', LIMIT), { code: ErrorCode.StoreObjectMissing })
  })

  check('readInto() fills its target from any offset, and fails when bytes are short', async (store) => {
    await store.put(
      'packs/ab/some',
      Uint8Array.from({ length: 200 }, (_, at) => at),
    )
    for (const [offset, length] of [
      [0, 200],
      [0, 1],
      [199, 1],
      [57, 90],
    ] as const) {
      const target = new Uint8Array(length)
      await store.readInto('packs/ab/some', target, offset)
      assert.deepEqual(
        plain(target),
        Array.from({ length }, (_, at) => offset + at),
      )
    }
    for (const [offset, length] of [
      [0, 201],
      [199, 2],
      [200, 1],
      [5000, 10],
    ] as const) {
      const reading = store.readInto('packs/ab/some', new Uint8Array(length), offset)
      await assert.rejects(reading, { code: ErrorCode.StoreFailed })
    }
    await assert.rejects(store.readInto('packs/ab/none', new Uint8Array(1), 0), {
      code: ErrorCode.StoreObjectMissing,
    })
  })

  check('readInto() reads many objects at once', async (store) => {
    const names = Array.from({ length: 80 }, (_, number) => `packs/0/${number}`)
    for (const [number, name] of names.entries()) await store.put(name, new Uint8Array(64).fill(number))
    const targets = names.map(() => new Uint8Array(64))
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(names.map((name, number) => store.readInto(name, targets[number] ?? bytesOf(), 0)))
    }
    for (const [number, target] of targets.entries()) assert.equal(target[63], number)
  })

  check('sizeOf() says the size, or null', async (store) => {
    await store.put('index/one', new Uint8Array(12_345))
    assert.equal(await store.sizeOf('index/one'), 12_345)
    assert.equal(await store.sizeOf('index/two'), null)
    assert.equal(await store.sizeOf('nowhere/at/all'), null)
  })
}

function listingConformance(check: Check): void {
  check('list() names what begins with a prefix, at any depth, and nothing else', async (store) => {
    const packs = ['packs/ab/abcd', 'packs/ab/abce', 'packs/cd/cdef', 'packs/deep/er/one']
    for (const name of [...packs, 'packs-not/one', 'points/one', 'config']) await store.put(name, bytesOf(1))
    assert.deepEqual((await listAll(store, 'packs/')).toSorted(), packs)
    assert.deepEqual((await listAll(store, 'packs/ab/')).toSorted(), packs.slice(0, 2))
    assert.deepEqual(await listAll(store, 'points/'), ['points/one'])
    assert.deepEqual(await listAll(store, 'nothing/'), [])
  })

  check('list() never shows an object that is not whole', async (store) => {
    const size = 300_000
    const count = 30
    const writing = (async () => {
      for (let number = 0; number < count; number += 1) {
        await store.put(`points/${number}`, new Uint8Array(size))
      }
    })()
    const seen = new Set<string>()
    while (seen.size < count) {
      for (const name of await listAll(store, 'points/')) {
        if (seen.has(name)) continue
        seen.add(name)
        assert.match(name, /^points\/\d+$/)
        assert.equal(await store.sizeOf(name), size)
      }
    }
    await writing
  })
}
