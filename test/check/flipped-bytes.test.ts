import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isBackupError } from '../../src/domain/backup-error.ts'
import { configBinding, encodeConfig, parseConfig } from '../../src/repository/config.ts'
import type { Problem } from '../../src/repository/check/problem.ts'
import { createRepository } from '../../src/repository/repository.ts'
import { MemoryStore } from '../../src/stores/memory-store.ts'
import {
  copyOf,
  headerParts,
  partsOfPack,
  repositoryIn,
  soundRepository,
  type PackPart,
  type SoundRepository,
} from '../support/damaged-repository.ts'
import { checkInThread, checkNamesInThread } from '../support/in-thread-check.ts'
import { seededRandomness } from '../support/seeded-randomness.ts'
import { systemClock } from '../../src/domain/clock.ts'

const sound = { encrypted: await soundRepository(true), plain: await soundRepository(false) }
/** Of the many chunks of a pack, some. */
const CHUNKS_EACH = 2
/** In these packs three places of each part are flipped, in the others one. */
const THOROUGH_PACKS = 2

for (const [kind, repository] of Object.entries(sound)) {
  test(`check finds nothing wrong with a sound repository (${kind})`, async () => {
    const store = copyOf(repository.store)
    for (const share of [0, 1]) {
      const found = await checkInThread(repositoryIn(store, repository.encrypted), share)
      assert.deepEqual(found.problems, [])
      assert.deepEqual(found.notes, [])
      assert.equal(found.read?.packCount ?? found.packCount, namesOf(repository, 'packs/').length)
    }
    assert.equal(store.objects.size, repository.store.objects.size)
  })

  test(`check finds a flipped bit in every part of every pack, and names the points (${kind})`, async () => {
    const seen = new Set<string>()
    for (const [number, name] of namesOf(repository, 'packs/').entries()) {
      const packId = name.slice(-64)
      const parts = await partsOfPack(repositoryIn(repository.store, repository.encrypted), packId)
      const needed = pointsThatNeed(repository, idsOf(parts))
      for (const part of someOf(parts)) {
        seen.add(part.name)
        const places = number < THOROUGH_PACKS ? placesIn(part) : [(part.begin + part.end) >> 1]
        for (const at of places) {
          const problem = onlyProblem(
            await checkFlipped(repository, { name, at, share: 1 }),
            `${part.name} of ${name} at ${at}`,
          )
          const hurt =
            part.id === null || problem.lostCount === 0 ? needed : pointsThatNeed(repository, [part.id])
          assert.deepEqual(
            problem.points.toSorted(),
            hurt,
            `${part.name} of ${name} at ${at}: ${problem.message}`,
          )
          assert.match(problem.code, /^PACK_DAMAGED$/)
        }
      }
    }
    assert.deepEqual(seen, new Set(expectedParts(repository)))
  })

  for (const [prefix, code] of [
    ['index/', 'SEGMENT_DAMAGED'],
    ['points/', 'POINT_DAMAGED'],
    ['condemned/', 'CONDEMNED_DAMAGED'],
  ] as const) {
    test(`check finds a flipped bit anywhere in a file of ${prefix} (${kind})`, async () => {
      for (const name of namesOf(repository, prefix)) {
        const size = repository.store.objects.get(name)?.byteLength ?? 0
        const body = { name: 'body', begin: 64, end: size, id: null }
        const places = [...headerParts(), body].flatMap(placesIn)
        for (let at = 80; at < size; at += Math.ceil(size / 25)) places.push(at)
        for (const at of places) {
          const problems = await checkFlipped(repository, { name, at, share: 0 })
          const [problem] = problems
          assert.equal(problem?.code, code, `${name} at ${at}`)
          assert.deepEqual(problem?.points, code === 'POINT_DAMAGED' ? [name.slice(-64)] : [])
        }
      }
    })
  }

  test(`check without a key finds a flipped bit in every kind of file (${kind})`, async () => {
    for (const [name, bytes] of repository.store.objects) {
      for (const at of [0, 40, bytes.byteLength >> 1, bytes.byteLength - 1]) {
        const store = flipped(repository, name, at)
        const { problems } = await checkNamesInThread(repositoryIn(store, repository.encrypted))
        assert.equal(problems.length, 1, `${name} at ${at}`)
      }
    }
  })
}

test('opening a repository finds a flipped bit in every byte of the configuration', async () => {
  const store = new MemoryStore()
  const secret = { kind: 'recovery', key: new Uint8Array(32).fill(9) } as const
  const config = await createRepository(store, {
    chunkSizeBytes: 65_536,
    compression: { algorithm: 'zstd', level: 1 },
    secrets: [{ secret, label: 'recovery' }],
    clock: systemClock,
    randomness: seededRandomness(1),
  })
  const bytes = encodeConfig(config)
  assert.deepEqual(configBinding(parseConfig(bytes, 'memory')), configBinding(config))
  for (let at = 0; at < bytes.byteLength; at += 1) {
    const damaged = new Uint8Array(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
    assert.throws(
      () => parseConfig(damaged, 'memory'),
      (error) => isBackupError(error, 'REPOSITORY_DAMAGED'),
    )
  }
})

function namesOf(repository: SoundRepository, prefix: string): string[] {
  return [...repository.store.objects.keys()].filter((name) => name.startsWith(prefix))
}

function flipped(repository: SoundRepository, name: string, at: number): MemoryStore {
  const store = copyOf(repository.store)
  const bytes = store.objects.get(name)
  assert(bytes !== undefined)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
  return store
}

async function checkFlipped(
  repository: SoundRepository,
  flip: { readonly name: string; readonly at: number; readonly share: number },
): Promise<readonly Problem[]> {
  const store = flipped(repository, flip.name, flip.at)
  return (await checkInThread(repositoryIn(store, repository.encrypted), flip.share)).problems
}

function onlyProblem(problems: readonly Problem[], about: string): Problem {
  const [problem] = problems
  assert(problem !== undefined, `${about}: nothing was found`)
  assert.equal(problems.length, 1, `${about}: ${problems.map((one) => one.message).join('; ')}`)
  return problem
}

/** The first byte, one in the middle and the last. */
function placesIn(part: PackPart): number[] {
  return [...new Set([part.begin, (part.begin + part.end) >> 1, part.end - 1])]
}

/** All parts, but of the chunks only some: the first, the last and those between. */
function someOf(parts: readonly PackPart[]): PackPart[] {
  const chunks = parts.filter((part) => part.name === 'chunk')
  const step = Math.max(1, Math.floor(chunks.length / CHUNKS_EACH))
  const taken = new Set(chunks.filter((_, index) => index % step === 0))
  return parts.filter((part) => part.name !== 'chunk' || taken.has(part))
}

function idsOf(parts: readonly PackPart[]): string[] {
  return parts.map((part) => part.id).filter((id) => id !== null)
}

function pointsThatNeed(repository: SoundRepository, ids: readonly string[]): string[] {
  const hurt = repository.points.filter((_, number) => ids.some((id) => repository.needs[number]?.has(id)))
  return hurt.map((point) => point.id).toSorted()
}

function expectedParts({ encrypted }: SoundRepository): string[] {
  return [
    ...headerParts().map((part) => part.name),
    'chunk',
    'node',
    'directory',
    ...(encrypted ? ['tag of the directory'] : []),
    'padding',
    'trailer magic',
    'trailer directory offset',
    'trailer directory length',
    'trailer entry count',
    'trailer reserved',
  ]
}
