import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, statSync, watch, writeFileSync, writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import type { Randomness } from '../../src/domain/randomness.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { seededRandomness } from '../support/seeded-randomness.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryRepository, type TemporaryRepository } from '../support/temporary-repository.ts'
import { contentsOf, PHASES, phaseOf, type Phase } from './phase-of-kill.ts'

const MIB = 1024 * 1024
const IMAGE_SIZE = 48 * MIB
const CHUNK_SIZE = 64 * 1024
/** Of eight chunks of the image one is zeros, which are not stored. */
const DATA_CHUNKS = ((IMAGE_SIZE / CHUNK_SIZE) * 7) / 8
/** Rewritten between two rounds, so that there is something to store. */
const CHANGE_SIZE = 16 * MIB
const RECORD_SIZE_MAX = 4096
const ROUNDS = 10
const KILLS_PER_ROUND = 10
const AIMED_KILLS_PER_FOLDER = 5

type Image = { readonly path: string; change(name: string): void }

/** An image of three parts; a change rewrites the second or the third. */
function makeImage(path: string, seed: number): Image {
  writeFileSync(path, mixedBytes(`${seed}`, IMAGE_SIZE))
  const randomness = seededRandomness(seed)
  return {
    path,
    change(name) {
      const file = openSync(path, 'r+')
      // The first part stays: whatever pack a run stored first holds some of it, which later runs must reuse.
      const place = (1 + randomness.below(IMAGE_SIZE / CHANGE_SIZE - 1)) * CHANGE_SIZE
      writeSync(file, mixedBytes(`${seed} ${name}`, CHANGE_SIZE), 0, CHANGE_SIZE, place)
      closeSync(file)
    },
  }
}

function backupWords(image: Image): string[] {
  return ['backup', image.path, '--name', 'volume', '--lanes', '1']
}

/** Starts a backup, kills it when `moment` has come, and says how far it was. */
async function killAt(
  repository: TemporaryRepository,
  image: Image,
  moment: (ended: AbortSignal) => Promise<unknown>,
): Promise<Phase> {
  const before = contentsOf(repository)
  const ended = new AbortController()
  let kill: Promise<unknown> = Promise.resolve()
  const result = await repository.run(backupWords(image), {
    onStart: (child) => {
      kill = moment(ended.signal).then(
        () => child.kill('SIGKILL'),
        () => undefined, // It ended before the moment came.
      )
      child.once('exit', () => ended.abort())
    },
  })
  await kill
  if (result.signal !== 'SIGKILL') assert.equal(result.exitCode, 0, result.stderr)
  return phaseOf(before, contentsOf(repository))
}

/** Everything must be right after whatever happened: every byte, every listed point, and a run that completes. */
async function assertRecovers(repository: TemporaryRepository, image: Image): Promise<void> {
  const storedBefore = repository.files('packs').length > 0
  await repository.assertWhole()
  const made = await repository.backup(backupWords(image).slice(1))
  const [object] = made.objects
  assert.ok(object !== undefined)
  if (storedBefore) assert.ok(object.newChunkCount < DATA_CHUNKS, `${object.newChunkCount} chunks are new`)
  assert.deepEqual(repository.files('writers'), [], 'records of killed writers are cleared away')
  // Whoever was killed while writing the record itself leaves that, a few hundred bytes.
  const left = repository.files('temporary').filter((path) => statSync(path).size > RECORD_SIZE_MAX)
  assert.deepEqual(left, [], 'so are their temporary files')
  const target = repository.folder.join('restored')
  await repository.restore([made.pointId, '--to', target, '--overwrite'])
  assert.equal(await sha256File(target), await sha256File(image.path))
}

type Duration = { readonly wholeMs: number; readonly workMs: number }

/** Runs that nobody kills, on an image of its own: how long the second takes, and how much is new to the first. */
async function measureRuns(seed: number): Promise<Duration> {
  using repository = await temporaryRepository({ encrypted: true })
  const image = makeImage(repository.folder.join('measured'), seed)
  const first = await repository.backup(backupWords(image).slice(1))
  assert.equal(first.objects[0]?.newChunkCount, DATA_CHUNKS)
  image.change('measured')
  const ended = new AbortController()
  const startedAt = performance.now()
  const [signIn, point] = ['writers', 'points'].map((folder) =>
    fileAppears(`${repository.path}/${folder}`, ended.signal).then(() => performance.now()),
  )
  await repository.backup(backupWords(image).slice(1))
  const wholeMs = performance.now() - startedAt
  const times = await Promise.all([signIn, point])
  return { wholeMs, workMs: (times[1] ?? 0) - (times[0] ?? 0) }
}

/**
 * A quarter of the moments are spread over the whole run. The others are spread over its work, from the writer's
 * record to the point and a little beyond: to start a process and to stretch a password takes most of a run this small.
 */
function randomMoment(
  repository: TemporaryRepository,
  duration: Duration,
  randomness: Randomness,
): (ended: AbortSignal) => Promise<unknown> {
  const isAnywhere = randomness.below(4) === 0
  const delayMs = randomness.below(Math.ceil(isAnywhere ? duration.wholeMs : 1.5 * duration.workMs))
  return async (ended) => {
    if (!isAnywhere) await fileAppears(`${repository.path}/writers`, ended)
    await setTimeout(delayMs, null, { signal: ended })
  }
}

function describeCounts(counts: ReadonlyMap<Phase, number>): string {
  return PHASES.map((phase) => `${phase}: ${counts.get(phase) ?? 0}`).join(', ')
}

test('backup survives SIGKILL at 100 random moments', { timeout: 600_000 }, async (context: TestContext) => {
  const seed = Number(process.env['KILL_SEED'] ?? 20_261_122)
  context.diagnostic(`seed ${seed} (KILL_SEED)`)
  const randomness = seededRandomness(seed)
  const counts = new Map<Phase, number>()
  const duration = await measureRuns(seed - 1)
  const { wholeMs, workMs } = duration
  context.diagnostic(`a run takes ${wholeMs.toFixed(0)} ms, its work ${workMs.toFixed(0)} ms of these`)
  for (let round = 0; round < ROUNDS; round += 1) {
    using repository = await temporaryRepository({ encrypted: true })
    mkdirSync(`${repository.path}/writers`)
    const image = makeImage(repository.folder.join('image'), seed + round)
    for (let kill = 0; kill < KILLS_PER_ROUND; kill += 1) {
      const phase = await killAt(repository, image, randomMoment(repository, duration, randomness))
      counts.set(phase, (counts.get(phase) ?? 0) + 1)
      const isLast = kill === KILLS_PER_ROUND - 1
      if (isLast) await assertRecovers(repository, image)
      else image.change(`${kill}`)
    }
  }
  context.diagnostic(describeCounts(counts))
  for (const phase of PHASES.slice(0, 3)) assert.ok((counts.get(phase) ?? 0) > 0, describeCounts(counts))
})

test(
  'backup survives SIGKILL right after a file of each kind appears',
  { timeout: 600_000 },
  async (context) => {
    const seed = Number(process.env['KILL_SEED'] ?? 20_261_122)
    context.diagnostic(`seed ${seed} (KILL_SEED)`)
    const randomness = seededRandomness(seed)
    const counts = new Map<Phase, number>()
    using repository = await temporaryRepository({ encrypted: true })
    const image = makeImage(repository.folder.join('image'), seed)
    for (const folder of ['packs', 'index', 'points']) {
      mkdirSync(`${repository.path}/${folder}`, { recursive: true })
      for (let kill = 0; kill < AIMED_KILLS_PER_FOLDER; kill += 1) {
        image.change(`${folder} ${kill}`)
        const delayMs = randomness.below(3)
        const phase = await killAt(repository, image, async (ended) => {
          await fileAppears(`${repository.path}/${folder}`, ended)
          if (delayMs > 0) await setTimeout(delayMs, null, { signal: ended })
        })
        counts.set(phase, (counts.get(phase) ?? 0) + 1)
      }
      await assertRecovers(repository, image)
    }
    context.diagnostic(describeCounts(counts))
    for (const phase of PHASES.slice(2)) assert.ok((counts.get(phase) ?? 0) > 0, describeCounts(counts))
  },
)

/** Resolves when a name comes to a folder; rejects when `ended` is aborted before. */
async function fileAppears(folder: string, ended: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const watcher = watch(folder, { signal: ended }, () => {
      watcher.close()
      resolve()
    })
    ended.addEventListener('abort', () => reject(new Error('the run ended')), { once: true })
  })
}
