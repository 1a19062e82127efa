import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { bytesImage } from '../../../test/support/bytes-image.ts'
import { copyChunk, storeBytes } from '../../../test/support/snapshot-store.ts'
import type { Extent } from '../../domain/extent.ts'
import { cachedImage } from '../../images/cached-image.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { ExceptionStore, type ExceptionOptions, type ExceptionRun } from './exception-store.ts'
import { ORIGIN_DEVICE, snapshotExtents, STORE_DEVICE } from './snapshot-extents.ts'
import { parseStoreHeader, requirePersistentStore } from './store-header.ts'

const CHUNK = 4096
const PER_AREA = CHUNK / 16
const { signal } = new AbortController()

function openStore(bytes: Uint8Array): Promise<ExceptionStore> {
  return ExceptionStore.open(cachedImage(bytesImage(bytes)))
}

async function runsOf(bytes: Uint8Array, options: ExceptionOptions): Promise<ExceptionRun[]> {
  const store = await openStore(bytes)
  const runs: ExceptionRun[] = []
  for await (const batch of store.exceptions(options, signal)) runs.push(...batch)
  return runs
}

async function mapOf(bytes: Uint8Array, options: ExceptionOptions): Promise<Extent[]> {
  const map: Extent[] = []
  for await (const batch of snapshotExtents(await openStore(bytes), options, signal)) map.push(...batch)
  return map
}

test('ExceptionStore.exceptions() joins what follows in both volumes, and is empty for a new store', async () => {
  const sizeBytes = 100 * CHUNK
  assert.deepEqual(await runsOf(storeBytes({ originChunks: [] }), { sizeBytes }), [])
  const runs = await runsOf(storeBytes({ originChunks: [50, 51, 52, 7, 53] }), { sizeBytes })
  assert.deepEqual(runs, [
    { originChunk: 7, storeChunk: 5, chunkCount: 1 },
    { originChunk: 50, storeChunk: 2, chunkCount: 3 },
    { originChunk: 53, storeChunk: 6, chunkCount: 1 },
  ])
})

test('ExceptionStore.exceptions() goes on in the next area, where copies make room for it', async () => {
  const originChunks = Array.from({ length: 3 * PER_AREA }, (_, index) => index)
  const runs = await runsOf(storeBytes({ originChunks }), { sizeBytes: 1000 * CHUNK })
  assert.deepEqual(
    runs,
    [0, 1, 2].map((area) => ({
      originChunk: area * PER_AREA,
      storeChunk: 2 + area * (PER_AREA + 1),
      chunkCount: PER_AREA,
    })),
  )
})

function originExtent(offset: number, length: number): Extent {
  return { kind: 'data', offset, length, device: ORIGIN_DEVICE, physicalOffset: offset }
}

function storeExtent(offset: number, length: number, chunk: number): Extent {
  return { kind: 'data', offset, length, device: STORE_DEVICE, physicalOffset: chunk * CHUNK }
}

test('snapshotExtents() lays the exceptions over the origin', async () => {
  // The origin ends within a chunk.
  const sizeBytes = 10 * CHUNK + 512
  const map = await mapOf(storeBytes({ originChunks: [3, 10, 4] }), { sizeBytes })
  assert.deepEqual(map, [
    originExtent(0, 3 * CHUNK),
    storeExtent(3 * CHUNK, CHUNK, 2),
    storeExtent(4 * CHUNK, CHUNK, 4),
    originExtent(5 * CHUNK, 5 * CHUNK),
    storeExtent(10 * CHUNK, 512, 3),
  ])
})

test('snapshotExtents() is what the exceptions say, for any order, chunk size and window', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(3000), { maxLength: 700 }),
      fc.constantFrom(512, 4096),
      fc.integer({ min: 1, max: 300 }),
      async (originChunks, chunkSizeBytes, windowLengthMax) => {
        const sizeBytes = 3001 * chunkSizeBytes
        const bytes = storeBytes({ originChunks, chunkSizeBytes })
        const map = await mapOf(bytes, { sizeBytes, windowLengthMax })
        const expected = new Map(
          originChunks.map((chunk, index) => [chunk, copyChunk(index, chunkSizeBytes / 16)]),
        )
        let position = 0
        for (const extent of map) {
          assert(extent.kind === 'data' && extent.offset === position)
          position += extent.length
          for (let within = 0; within < extent.length; within += chunkSizeBytes) {
            const chunk: number = (extent.offset + within) / chunkSizeBytes
            const copy = expected.get(chunk)
            assert.equal(extent.device, copy === undefined ? ORIGIN_DEVICE : STORE_DEVICE)
            assert.equal((extent.physicalOffset + within) / chunkSizeBytes, copy ?? chunk)
          }
        }
        assert.equal(position, sizeBytes)
      },
    ),
    { numRuns: 50 },
  )
})

test('ExceptionStore.open() refuses a snapshot that was lost, by name', async () => {
  const bytes = storeBytes({ originChunks: [1] })
  new DataView(bytes.buffer).setUint32(4, 0, true)
  await assert.rejects(openStore(bytes), (error) => {
    assert(error instanceof UnmappedError)
    assert.equal(error.what, 'invalid snapshot')
    return true
  })
})

test('requirePersistentStore() refuses a transient store, by name', () => {
  requirePersistentStore('P')
  requirePersistentStore('PO')
  assert.throws(() => requirePersistentStore('N'), { what: 'transient snapshot' })
})

test('parseStoreHeader() says what is wrong', () => {
  const cases: readonly (readonly [at: number, value: number, found: RegExp])[] = [
    [0, 0, /store header at byte 0: magic is 0x0, expected 0x70416e53/],
    [8, 2, /version is 2, expected 1/],
    [12, 0, /chunks have 0 sectors/],
    [12, 24, /chunks have 24 sectors, expected a power of two/],
    [12, 0x80000000, /chunks have 2147483648 sectors/],
  ]
  for (const [at, value, found] of cases) {
    const bytes = storeBytes({ originChunks: [] })
    new DataView(bytes.buffer).setUint32(at, value, true)
    assert.throws(() => parseStoreHeader(bytes), found)
  }
  assert.throws(() => parseStoreHeader(new Uint8Array(8)), /it has 8 bytes, expected 16/)
})

/** Three exceptions, one of their numbers changed. */
function changed(at: number, value: bigint): Uint8Array {
  const bytes = storeBytes({ originChunks: [1, 2, 3] })
  new DataView(bytes.buffer).setBigUint64(at, value, true)
  return bytes
}

test('ExceptionStore.exceptions() refuses what cannot be', async () => {
  // So large that many chunks are counted as one.
  const sizeBytes = 1_000_000 * CHUNK
  const cases: readonly (readonly [bytes: Uint8Array, found: RegExp])[] = [
    [
      changed(CHUNK, 1_000_000n),
      /exception at byte 4096: it is of chunk 1000000 of the origin, expected less than 1000000/,
    ],
    [changed(CHUNK, 2n ** 64n - 1n), /of the origin/],
    [changed(CHUNK + 16, 1n), /chunk 1 of the origin has two exceptions/],
    [changed(CHUNK + 8, 1n), /its copy is chunk 1, expected one below 7 that is no area/],
    [changed(CHUNK + 8, 7n), /its copy is chunk 7/],
    [changed(CHUNK + 8, 2n ** 64n - 1n), /its copy is chunk/],
  ]
  for (const [bytes, found] of cases) {
    await assert.rejects(runsOf(bytes, { sizeBytes }), (error) => {
      assert(error instanceof FormatError)
      assert.match(error.message, found)
      return true
    })
  }
})

test('ExceptionStore.exceptions() refuses a chunk that has many exceptions before it sorts them', async () => {
  const originChunks = Array.from({ length: 40 }, () => 5)
  await assert.rejects(
    runsOf(storeBytes({ originChunks }), { sizeBytes: 10 * CHUNK }),
    /some chunk of the origin has two exceptions/,
  )
})

test('ExceptionStore.exceptions() ends where the store does', async () => {
  const originChunks = Array.from({ length: PER_AREA }, (_, index) => index)
  // The next area, which the kernel clears before it fills this one, is not there.
  const bytes = storeBytes({ originChunks, chunkCount: copyChunk(PER_AREA - 1, PER_AREA) + 1 })
  await assert.rejects(
    runsOf(bytes, { sizeBytes: 1000 * CHUNK }),
    /exception area at byte 1056768: the store ends at byte 1056768, before its exceptions do/,
  )
})

test('ExceptionStore.exceptions() stops when the signal says so', async () => {
  const store = await openStore(storeBytes({ originChunks: [1] }))
  const exceptions = store.exceptions({ sizeBytes: 100 * CHUNK }, AbortSignal.abort())
  await assert.rejects(exceptions.next(), { name: 'AbortError' })
})
