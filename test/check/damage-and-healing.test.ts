import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Problem } from '../../src/repository/check/problem.ts'
import { removePoints } from '../../src/repository/points.ts'
import { putWriter } from '../../src/repository/writers.ts'
import type { MemoryStore } from '../../src/stores/memory-store.ts'
import {
  copyOf,
  partsOfPack,
  repositoryIn,
  soundRepository,
  type SoundRepository,
} from '../support/damaged-repository.ts'
import { checkInThread } from '../support/in-thread-check.ts'
import { backUpInThread, readBack } from '../support/in-thread-backup.ts'

const sound = await soundRepository(true)
const packNames = namesOf('packs/')
const KINDS = ['packs/', 'index/', 'points/', 'condemned/'] as const
const DAMAGED = {
  'packs/': 'PACK_DAMAGED',
  'index/': 'SEGMENT_DAMAGED',
  'points/': 'POINT_DAMAGED',
  'condemned/': 'CONDEMNED_DAMAGED',
} as const

for (const share of [0, 1]) {
  test(`check finds files cut short, emptied and made longer, reading ${share * 100}% of the packs`, async () => {
    for (const kind of KINDS) {
      const [name = ''] = namesOf(kind)
      const size = sound.store.objects.get(name)?.byteLength ?? 0
      for (const length of [0, 1, 63, 64, size >> 1, size - 1, size + 1]) {
        const store = copyOf(sound.store)
        store.objects.set(name, resized(store.objects.get(name), length))
        const codes = codesOf(await check(store, share))
        // A longer pack, or one that lost only its padding, is seen by those who read it.
        if (kind === 'packs/' && share === 0 && length > size - 4096) continue
        assert.deepEqual(codes, [DAMAGED[kind]], `${name} with ${length} of ${size} bytes`)
      }
    }
  })
}

test('check finds two files whose contents were swapped, whatever they are', async () => {
  const files = KINDS.flatMap((kind) =>
    namesOf(kind)
      .slice(0, 2)
      .map((name) => ({ kind, name })),
  )
  for (const [number, a] of files.entries()) {
    for (const b of files.slice(number + 1)) {
      const store = copyOf(sound.store)
      const contents = [store.objects.get(a.name), store.objects.get(b.name)]
      store.objects.set(a.name, contents[1] ?? new Uint8Array())
      store.objects.set(b.name, contents[0] ?? new Uint8Array())
      const codes = codesOf(await check(store, 1))
      for (const { kind } of [a, b])
        assert.ok(codes.includes(DAMAGED[kind]), `${a.name} ${b.name}: ${codes.join()}`)
    }
  }
})

test('check finds a missing pack without reading any, and names the points that need it', async () => {
  for (const name of packNames) {
    const store = copyOf(sound.store)
    const ids = (await partsOfPack(repositoryIn(store, true), name.slice(-64))).map((part) => part.id)
    store.objects.delete(name)
    const problems = await check(store, 0)
    assert.deepEqual(codesOf(problems), ['PACK_MISSING'])
    const hurt = sound.points.filter((_, number) =>
      ids.some((id) => id !== null && sound.needs[number]?.has(id)),
    )
    assert.deepEqual(problems[0]?.points.toSorted(), hurt.map((point) => point.id).toSorted(), name)
  }
})

test('check finds missing index segments; with their packs gone too, it names the points', async () => {
  for (const name of namesOf('index/')) {
    const store = copyOf(sound.store)
    store.objects.delete(name)
    assert.deepEqual(codesOf(await check(store, 0)), ['INDEX_INCOMPLETE'])
  }
  const store = copyOf(sound.store)
  for (const name of [...namesOf('index/'), ...packNames]) store.objects.delete(name)
  const [problem, ...others] = await check(store, 0)
  assert.equal(problem?.code, 'NODE_MISSING')
  assert.deepEqual(others, [])
  assert.deepEqual(problem?.points.toSorted(), sound.points.map((point) => point.id).toSorted())
})

test('packs that no segment names are no problem while a writer is at work or was killed', async () => {
  const store = copyOf(sound.store)
  for (const name of namesOf('index/')) store.objects.delete(name)
  const writer = { id: '0123456789abcdef', host: 'a', bootId: 'b', pid: 1, pidStart: 1, startedAt: 'c' }
  await putWriter(store, writer)
  const found = await checkInThread(repositoryIn(store, true), 1)
  assert.deepEqual(found.problems, [])
  assert.match(found.notes.join(), /1 backups are running or were killed/)
})

test('half a pack that a killed run left is worth a note', async () => {
  const store = copyOf(sound.store)
  const id = 'cd'.repeat(32)
  store.objects.set(`packs/cd/${id}`, new Uint8Array(5000))
  const found = await checkInThread(repositoryIn(store, true), 1)
  assert.deepEqual(found.problems, [])
  assert.match(found.notes.join(), new RegExp(id))
})

test('a damaged chunk heals with the next backup of what it is in; what is lost stays a problem until it is forgotten', async () => {
  const repository = { ...sound, store: copyOf(sound.store) }
  const { store } = repository
  const name = await damageAChunk(repository, { neededBy: [0, 1, 2] })
  assert.deepEqual((await check(store, 1))[0]?.points.length, 3)
  assert.equal((await namesIn(store, 'condemned/')).length, 2, 'it is fenced off')
  assert.deepEqual(codesOf(await check(store, 0)), [], 'a look at the structure reads no chunk')
  assert.deepEqual(codesOf(await check(store, 1)), ['PACK_DAMAGED'])
  assert.equal((await namesIn(store, 'condemned/')).length, 2, 'and fenced off once')
  const base = sound.points[2] ?? null
  const image = sound.images[2]
  assert(image !== undefined)
  const again = await backUpInThread(repositoryIn(store, true), { image, base, seed: 9 })
  const after = await check(store, 1)
  // What only older points need was not in the source any more.
  for (const problem of after) assert.ok(!problem.points.includes(again.id), problem.message)
  for (const point of [again, base]) {
    assert(point !== null)
    assert.deepEqual(Buffer.from(await readBack(repositoryIn(store, true), point)), Buffer.from(image.bytes))
  }
  await removePoints(
    repositoryIn(store, true),
    sound.points.slice(0, 2).map((point) => point.id),
  )
  const last = await checkInThread(repositoryIn(store, true), 1)
  assert.deepEqual(last.problems, [])
  assert.match(last.notes.join(), new RegExp(`${name.slice(-64)} is damaged, but it is fenced off`))
})

test('missing packs heal with the next backup', async () => {
  const store = copyOf(sound.store)
  const base = sound.points[2] ?? null
  const image = sound.images[2]
  assert(image !== undefined)
  for (const name of packNames.slice(1)) store.objects.delete(name)
  assert.equal((await check(store, 0)).length > 0, true)
  const again = await backUpInThread(repositoryIn(store, true), { image, base, seed: 9 })
  const problems = await check(store, 1)
  for (const problem of problems) {
    assert.ok(!problem.points.includes(again.id), problem.message)
    assert.ok(!problem.points.includes(base?.id ?? ''), problem.message)
  }
  assert.deepEqual(Buffer.from(await readBack(repositoryIn(store, true), again)), Buffer.from(image.bytes))
})

test('packs are not fenced off when none is there: the repository may not be mounted whole', async () => {
  const store = copyOf(sound.store)
  for (const name of packNames) store.objects.delete(name)
  const { problems, fence } = await checkInThread(repositoryIn(store, true), 1)
  assert.equal(problems.length, packNames.length)
  assert.match(fence.failure ?? '', /mounted/)
  assert.equal((await namesIn(store, 'condemned/')).length, 1)
})

test('a backup that goes on while check runs is no problem', async () => {
  for (const prefix of ['points/', 'index/', 'packs/', 'writers/']) {
    const store = copyOf(sound.store)
    const image = sound.images[0]
    assert(image !== undefined)
    let backups = 0
    const list = store.list.bind(store)
    store.list = async function* busy(asked) {
      if (asked === prefix && backups === 0) {
        backups += 1
        await backUpInThread(repositoryIn(store, true), { image: changed(image.bytes), seed: 20 })
      }
      yield* list(asked)
      if (asked === prefix && backups === 1) {
        backups += 1
        await backUpInThread(repositoryIn(store, true), { image: changed(image.bytes, 2), seed: 21 })
      }
    }
    const found = await checkInThread(repositoryIn(store, true), 1)
    assert.deepEqual(found.problems, [], prefix)
    assert.equal(backups, 2)
  }
})

function namesOf(prefix: string): string[] {
  return [...sound.store.objects.keys()].filter((name) => name.startsWith(prefix))
}

async function namesIn(store: MemoryStore, prefix: string): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).flat()
}

async function check(store: MemoryStore, share: number): Promise<readonly Problem[]> {
  return (await checkInThread(repositoryIn(store, true), share)).problems
}

function codesOf(problems: readonly Problem[]): string[] {
  return problems.map((problem) => problem.code)
}

function resized(bytes: Uint8Array | undefined, length: number): Uint8Array {
  const made = new Uint8Array(length)
  made.set((bytes ?? new Uint8Array()).subarray(0, length))
  return made
}

function changed(bytes: Uint8Array, by = 1): { bytes: Uint8Array } {
  return { bytes: bytes.map((byte, index) => (index % 50 < 40 ? byte : byte + by)) }
}

/** Flips a bit of a chunk that these points need; returns the name of its pack. */
async function damageAChunk(
  repository: SoundRepository,
  wanted: { readonly neededBy: readonly number[] },
): Promise<string> {
  for (const name of packNames) {
    for (const part of await partsOfPack(repositoryIn(repository.store, true), name.slice(-64))) {
      const isWanted = wanted.neededBy.every((number) => repository.needs[number]?.has(part.id ?? ''))
      const bytes = repository.store.objects.get(name)
      if (part.name !== 'chunk' || !isWanted || bytes === undefined) continue
      bytes[part.begin + 5] = (bytes[part.begin + 5] ?? 0) ^ 1
      return name
    }
  }
  assert.fail('no such chunk')
}
