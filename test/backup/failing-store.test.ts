import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ErrorCode, isBackupError } from '../../src/domain/backup-error.ts'
import type { StoredPoint } from '../../src/domain/recovery-point.ts'
import { nodeReader } from '../../src/repository/node-reader.ts'
import { listPoints } from '../../src/repository/points.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { PLACES } from '../../src/repository/tree-node.ts'
import { treeShape } from '../../src/repository/tree-shape.ts'
import { walkLeaves } from '../../src/repository/tree-walk.ts'
import { MemoryStore } from '../../src/stores/memory-store.ts'
import { failingStore, type FailureKind } from '../support/failing-store.ts'
import {
  backUpInThread,
  openIndex,
  readBack,
  testRepository,
  TEST_CHUNK_SIZE,
} from '../support/in-thread-backup.ts'
import { checkInThread } from '../support/in-thread-check.ts'
import { sampleImage, withChanges } from '../support/sample-image.ts'

const OPERATIONS_MAX = 500
const KINDS: readonly FailureKind[] = ['full', 'failed', 'torn', 'late']
const CHUNK_COUNT = 300
const places = Array.from({ length: 120 }, (_, index) => index * 2 + 3)
const before = sampleImage(31, CHUNK_COUNT * TEST_CHUNK_SIZE)
const after = withChanges(before, { seed: 32, places })
const changes = places.map((place) => ({ offset: place * TEST_CHUNK_SIZE, length: TEST_CHUNK_SIZE }))

for (const kind of KINDS) {
  for (const how of ['full', 'incremental'] as const) {
    test(`a store that fails once, at any operation (${kind}), loses no point and nothing stored, ${how}`, async () => {
      const start = await startOf(how)
      let failures = 0
      for (let failingAt = 0; ; failingAt += 1) {
        assert.ok(failingAt < OPERATIONS_MAX)
        const store = copyOf(start.store)
        const failing = failingStore(store, { kind, failingAt })
        const outcome = await backUpInThread(testRepository(failing), { ...start.request, seed: 10 }).catch(
          (error: unknown) => error,
        )
        if (failing.operationCount <= failingAt) break
        const about = `operation ${failingAt}`
        if (outcome instanceof Error) {
          failures += 1
          assert.ok(
            isBackupError(outcome, kind === 'full' ? ErrorCode.StoreFull : ErrorCode.StoreFailed),
            `${about}: ${outcome.message}`,
          )
        }
        await requireWhole(testRepository(store), start.base, about)
        // A torn object under its final name is what no directory store leaves, and what check is there to find.
        if (kind !== 'torn') await requireNoProblem(testRepository(store), about)
        await requireReuse(testRepository(store), start, about)
      }
      assert.ok(failures > 10, `${failures} runs failed`)
    })
  }
}

type Start = Awaited<ReturnType<typeof startOf>>

/** A store with a point or without one, and what is to be backed up next. */
async function startOf(how: 'full' | 'incremental'): Promise<{
  store: MemoryStore
  base: StoredPoint | null
  request: Omit<Parameters<typeof backUpInThread>[1], 'seed'>
  chunkIds: Set<string>
}> {
  const store = new MemoryStore()
  const base = how === 'full' ? null : await backUpInThread(testRepository(store), { image: before, seed: 1 })
  const image = how === 'full' ? after : { ...after, changes }
  const sound = copyOf(store)
  const stored = await backUpInThread(testRepository(sound), { image, base, seed: 2 })
  return { store, base, request: { image, base }, chunkIds: await chunkIdsOf(testRepository(sound), stored) }
}

/** Every point that is listed holds the image that it was made of. */
async function requireWhole(repository: Repository, base: StoredPoint | null, about: string): Promise<void> {
  const { points } = await listPoints(repository)
  assert.equal(
    points.some((point) => point.id === base?.id),
    base !== null,
  )
  for (const point of points) {
    const image = point.id === base?.id ? before : after
    assert.deepEqual(Buffer.from(await readBack(repository, point)), Buffer.from(image.bytes), about)
  }
}

/** What `check --data` says after the failure: nothing. */
async function requireNoProblem(repository: Repository, about: string): Promise<void> {
  const { problems } = await checkInThread(repository, 1)
  assert.deepEqual(problems, [], about)
}

/** The next run makes a right point, and stores only chunks that are not in a pack of the run that failed. */
async function requireReuse(repository: Repository, start: Start, about: string): Promise<void> {
  let missing = 0
  {
    using index = await openIndex(repository)
    for (const id of start.chunkIds) if (index.locator.locate(Uint8Array.fromHex(id)) === null) missing += 1
  }
  const stored = await backUpInThread(repository, { ...start.request, seed: 20 })
  assert.equal(stored.point.objects[0]?.ledger.newChunkCount, missing, about)
  assert.deepEqual(Buffer.from(await readBack(repository, stored)), Buffer.from(after.bytes), about)
}

async function chunkIdsOf(repository: Repository, stored: StoredPoint): Promise<Set<string>> {
  using index = await openIndex(repository)
  const [object] = stored.point.objects
  assert(object !== undefined)
  const shape = treeShape({ sizeBytes: object.sizeBytes, chunkSizeBytes: TEST_CHUNK_SIZE })
  const nodes = nodeReader(repository.packs, index.locator)
  const { signal } = new AbortController()
  const ids = new Set<string>()
  for await (const { node } of walkLeaves({ root: object.root, shape }, { nodes, signal })) {
    for (let place = 0; place < PLACES; place += 1) if (node.isSet(place)) ids.add(node.idAt(place).toHex())
  }
  return ids
}

function copyOf(store: MemoryStore): MemoryStore {
  const copy = new MemoryStore()
  for (const [name, bytes] of store.objects) copy.objects.set(name, bytes)
  return copy
}
