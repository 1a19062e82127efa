import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeExt4Image } from '../../test/support/ext4-image.ts'
import { temporaryRepository } from '../../test/support/temporary-repository.ts'
import type { ImageRecord } from '../domain/ledger.ts'
import type { Range } from '../domain/range.ts'
import type { StoredPoint } from '../domain/recovery-point.ts'
import type { RangeStream } from '../mover/backup-source.ts'
import { complementRanges } from '../extents/complement-ranges.ts'
import { listPoints } from '../repository/points.ts'
import { openRepository } from '../repository/repository.ts'
import { DirectoryStore } from '../stores/directory/directory-store.ts'
import { BaseLook, type BaseLookParts } from './base-look.ts'
import { withIndex, type IndexedRepository } from './open-repository.ts'

const MIB = 1024 * 1024
const { signal } = new AbortController()
const NOTHING_KNOWN: BaseLookParts['leftOut'] = { get: () => Promise.resolve(null) }

test('BaseLook finds the same data ahead and when it is asked, with one look', async () => {
  await using scene = await sceneOfPoint()
  const asked = await scene.find(scene.lookAt(frozen(scene.point)))
  assert.equal(scene.openCount(), 0)
  const ahead = scene.lookAt(frozen(scene.point))
  ahead.begin()
  ahead.begin()
  assert.deepEqual(await scene.find(ahead), asked)
  assert.equal(scene.openCount(), 1)
  const dataBytes = asked.reduce((sum, { length }) => sum + length, 0)
  assert.ok(dataBytes > 0 && dataBytes < 32 * MIB, `${dataBytes} bytes of data`)
})

test('BaseLook believes what is known of the point since it was stored, and looks where that does not fit', async () => {
  await using scene = await sceneOfPoint()
  const asked = await scene.find(scene.lookAt(scene.point))
  const [object] = scene.point.point.objects
  assert.ok(object !== undefined && object.ledger.freeBytes !== null)
  const free: Range[] = []
  for await (const batch of complementRanges([asked], { sizeBytes: object.sizeBytes })) free.push(...batch)
  const known = (ranges: readonly Range[], name = object.name): BaseLookParts['leftOut'] => ({
    get: (id) => Promise.resolve(id === scene.point.id ? new Map([[name, ranges]]) : null),
  })
  // Elsewhere, and as much: believed, so that a look that was made after all would be seen.
  const { freeBytes, sizeBytes } = { ...object.ledger, ...object }
  assert.ok(freeBytes !== null)
  const elsewhere = [{ offset: 0, length: freeBytes }]
  const rest = [{ offset: freeBytes, length: sizeBytes - freeBytes }]
  assert.deepEqual(await scene.find(scene.lookAt(scene.point, known(elsewhere))), rest)
  const ahead = scene.lookAt(frozen(scene.point), known(free))
  ahead.begin()
  assert.deepEqual(await scene.find(ahead), asked)
  assert.equal(scene.openCount(), 0)
  const unfitting = [
    known(free.slice(1)),
    known(free, 'another'),
    known([{ offset: sizeBytes - freeBytes + 1, length: freeBytes }]),
  ]
  for (const wrong of unfitting) {
    assert.deepEqual(await scene.find(scene.lookAt(scene.point, wrong)), asked)
  }
})

test('BaseLook begins nothing that the run will not ask for', async () => {
  await using scene = await sceneOfPoint()
  for (const base of [scene.point, withoutFree(frozen(scene.point)), null]) scene.lookAt(base).begin()
  assert.equal(scene.openCount(), 0)
  assert.equal(await scene.lookAt(null).find(scene.parts), null)
  assert.equal(await scene.lookAt(withoutFree(scene.point)).find(scene.parts), null)
})

test('BaseLook looks again where a look ahead failed', async () => {
  await using scene = await sceneOfPoint()
  const asked = await scene.find(scene.lookAt(scene.point))
  const look = new BaseLook({
    base: frozen(scene.point),
    leftOut: NOTHING_KNOWN,
    open: () => Promise.reject(new Error('the index is being written')),
    signal,
  })
  look.begin()
  assert.deepEqual(await scene.find(look), asked)
})

test('BaseLook closes what it opened before it is disposed of', async () => {
  await using scene = await sceneOfPoint()
  const look = scene.lookAt(frozen(scene.point))
  look.begin()
  await look[Symbol.asyncDispose]()
  assert.deepEqual([scene.openCount(), scene.closeCount()], [1, 1])
})

/** A repository with a point of an ext4 file system of 32 MiB. */
async function sceneOfPoint() {
  await using stack = new AsyncDisposableStack()
  const made = stack.use(await temporaryRepository())
  const path = made.folder.join('image')
  writeExt4Image(path, { sizeBytes: 32 * MIB })
  await made.backup([path])
  const store = stack.use(new DirectoryStore(made.path, { writerId: '0011223344556677' }))
  const repository = await openRepository(store, () => Promise.reject(new Error('there is no password')))
  const open = (): Promise<IndexedRepository> =>
    withIndex({ repository, store, [Symbol.asyncDispose]: () => Promise.resolve() }, made.cachePath)
  const parts = { repository: stack.use(await open()), progress: () => {}, signal }
  const [point] = (await listPoints(repository)).points
  assert.ok(point !== undefined)
  let openCount = 0
  let closeCount = 0
  const counted = async (): Promise<IndexedRepository> => {
    openCount += 1
    const indexed = await open()
    return {
      ...indexed,
      async [Symbol.asyncDispose]() {
        await indexed[Symbol.asyncDispose]()
        closeCount += 1
      },
    }
  }
  const held = stack.move()
  return {
    point,
    parts,
    openCount: () => openCount,
    closeCount: () => closeCount,
    lookAt: (base: StoredPoint | null, leftOut: BaseLookParts['leftOut'] = NOTHING_KNOWN): BaseLook =>
      new BaseLook({ base, leftOut, open: counted, signal }),
    async find(look: BaseLook): Promise<readonly Range[]> {
      const found = await look.find(parts)
      assert.equal(found?.size, 1)
      return await rangesOf([...found.values()][0])
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

async function rangesOf(stream: RangeStream | undefined): Promise<readonly Range[]> {
  assert.ok(stream !== undefined)
  const ranges: Range[] = []
  for await (const batch of stream()) ranges.push(...batch)
  return ranges
}

function frozen(base: StoredPoint): StoredPoint {
  const image: ImageRecord = {
    provider: 'lvm-thin',
    id: 'AAAA',
    source: 'vg0/home',
    windowMs: 1,
    movedBytes: 0,
  }
  return withLedger(base, { image })
}

function withoutFree(base: StoredPoint): StoredPoint {
  return withLedger(base, { freeBytes: null })
}

function withLedger(
  base: StoredPoint,
  change: Partial<StoredPoint['point']['objects'][number]['ledger']>,
): StoredPoint {
  const objects = base.point.objects.map((object) => ({ ...object, ledger: { ...object.ledger, ...change } }))
  return { ...base, point: { ...base.point, objects } }
}
