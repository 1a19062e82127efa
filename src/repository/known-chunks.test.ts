import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

import { KnownChunks } from './known-chunks.ts'

const CLAIMS = new URL('../../test/support/claim-chunks.ts', import.meta.url)
const idOf = (text: string): Uint8Array => createHash('sha256').update(text).digest()

test('KnownChunks.claim() is true once for each id', () => {
  const known = new KnownChunks(KnownChunks.allocate(20_000))
  for (let round = 0; round < 2; round += 1) {
    for (let number = 0; number < 20_000; number += 1) {
      assert.equal(known.claim(idOf(`${number}`)), round === 0)
    }
  }
})

test('KnownChunks.claim() tells ids apart that begin alike', () => {
  const known = new KnownChunks(KnownChunks.allocate(100))
  const ids = Array.from({ length: 40 }, (_, number) => {
    const id = new Uint8Array(32).fill(9)
    id[number % 2 === 0 ? 5 : 13] = number
    return id
  })
  for (const expected of [true, false]) for (const id of ids) assert.equal(known.claim(id), expected)
})

test('KnownChunks.claim() takes ids of zeros', () => {
  const known = new KnownChunks(KnownChunks.allocate(1))
  assert.deepEqual([known.claim(new Uint8Array(32)), known.claim(new Uint8Array(32))], [true, false])
})

test('KnownChunks.claim() never says that it knows an id that it was not told, also when its table is full', () => {
  const known = new KnownChunks(new SharedArrayBuffer(64 * 16))
  for (let number = 0; number < 1000; number += 1) assert.ok(known.claim(idOf(`${number}`)))
  for (let number = 0; number < 20; number += 1) assert.ok(!known.claim(idOf(`${number}`)))
})

test('KnownChunks.claim() has one winner for each id among threads that race', async () => {
  const count = 50_000
  const memory = KnownChunks.allocate(count)
  const wins = new Int32Array(new SharedArrayBuffer(4 * count))
  const start = new Int32Array(new SharedArrayBuffer(8))
  const threads = [1, 3, 7, 49_999].map(
    (step) => new Worker(CLAIMS, { workerData: { memory, wins, step, start } }),
  )
  const ends = threads.map((thread) => once(thread, 'exit'))
  for (let ready = 0; ready < threads.length; ready = Atomics.load(start, 0)) {
    await Atomics.waitAsync(start, 0, ready).value
  }
  Atomics.store(start, 1, 1)
  Atomics.notify(start, 1)
  await Promise.all(ends)
  assert.ok(wins.every((winners) => winners === 1))
})
