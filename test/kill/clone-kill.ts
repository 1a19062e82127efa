import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'

import type { Randomness } from '../../src/domain/randomness.ts'
import { cloningFileSystem, needsCloning, type CloningFileSystem } from '../support/cloning-file-system.ts'
import { noiseBytes } from '../support/sample-files.ts'
import { seededRandomness } from '../support/seeded-randomness.ts'
import { startWriter } from '../support/start-writer.ts'
import { temporaryRepository, type TemporaryRepository } from '../support/temporary-repository.ts'

const FILE_BYTES = 1024 * 1024
/** What is backed up in turn: two lineages. */
const KINDS = [['one'], ['one', 'two']] as const

const imageSchema = v.object({
  id: v.string(),
  label: v.string(),
  lineageKey: v.string(),
  use: v.variant('kind', [
    v.object({ kind: v.literal('run') }),
    v.object({ kind: v.literal('base'), pointId: v.string() }),
  ]),
})
const listSchema = v.object({ images: v.array(imageSchema), released: v.array(imageSchema) })
type Image = v.InferOutput<typeof imageSchema>

type Scene = { readonly mounted: CloningFileSystem; readonly repository: TemporaryRepository }

/** Tests that `icecore backup FILE…`, killed at `killCount` moments, leaves no clone that the next command does not know. */
export function testCloneKills(killCount: number): void {
  test(
    `a SIGKILL at ${killCount} moments leaves no clone that nobody owns`,
    { skip: needsCloning('xfs') },
    async (context) => {
      const seed = 1 + (process.pid % 100_000)
      context.diagnostic(`seed ${seed}`)
      const chance = seededRandomness(seed)
      using mounted = cloningFileSystem('xfs')
      using repository = await temporaryRepository()
      const scene: Scene = { mounted, repository }
      for (const name of ['one', 'two']) writeFileSync(mounted.join(name), noiseBytes(name, FILE_BYTES))
      const targets = ['one', 'two'].map((name) => ({ path: mounted.join(name), sizeBytes: FILE_BYTES }))
      await using _writer = await startWriter(targets, { seed, mode: 'mix' })
      const durationMs = await measureRun(scene)
      const counts = { killed: 0, whileHeld: 0, released: 0 }
      for (let round = 0; round < killCount; round += 1) {
        const names = KINDS[round % KINDS.length] ?? KINDS[0]
        const where = `round ${round}`
        // Every second one at a moment at which a clone has its name.
        const isAimed = Math.floor(round / KINDS.length) % 2 === 1
        const before = namesOf(mounted)
        const kill = isAimed ? whenHeld(mounted, chance) : atMoment(chance.below(Math.ceil(durationMs)))
        const isKilled = await killRun(scene, names, kill)
        if (isKilled) counts.killed += 1
        if (isKilled && namesOf(mounted).some((name) => !before.includes(name))) counts.whileHeld += 1
        counts.released += await assertAllOwned(scene, where)
        await assertNextRunKeeps(scene, names, where)
      }
      const { killed, whileHeld, released } = counts
      context.diagnostic(
        `${killed} of ${killCount} were killed, ${whileHeld} of them with clones of their own, of which ${released} were released`,
      )
      await repository.assertWhole()
    },
  )
}

function words({ mounted }: Scene, names: readonly string[]): readonly string[] {
  return ['backup', ...names.map((name) => mounted.join(name)), '--lanes', '1']
}

async function measureRun(scene: Scene): Promise<number> {
  const startedAt = performance.now()
  await runMust(scene, KINDS[0])
  return performance.now() - startedAt
}

type Moment = (ended: AbortSignal) => Promise<unknown>

function atMoment(delayMs: number): Moment {
  return async (signal) => await setTimeout(delayMs, null, { signal })
}

/** A little after a file comes to the folder of clones. */
function whenHeld(mounted: CloningFileSystem, chance: Randomness): Moment {
  const folder = mounted.join('.icecore')
  const delayMs = chance.below(100)
  return async (signal) => {
    while (!existsSync(folder)) await setTimeout(1, null, { signal })
    const { promise, resolve, reject } = Promise.withResolvers<null>()
    const watcher = watch(folder, { signal }, () => resolve(null))
    // The folder goes when the last clone does.
    watcher.on('error', reject)
    signal.addEventListener('abort', () => reject(new Error('the run ended')), { once: true })
    await promise
    watcher.close()
    await setTimeout(delayMs, null, { signal })
  }
}

/** Whether it was killed; else it ended before the moment came. */
async function killRun(scene: Scene, names: readonly string[], moment: Moment): Promise<boolean> {
  const ended = new AbortController()
  let kill: Promise<unknown> = Promise.resolve()
  const result = await scene.repository.run(words(scene, names), {
    onStart: (child) => {
      kill = moment(ended.signal).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      )
      child.once('exit', () => ended.abort())
    },
  })
  await kill
  if (result.signal === 'SIGKILL') return true
  assert.ok(result.exitCode === 0 || result.exitCode === 3, result.stderr)
  return false
}

/** What `icecore images list` shows of this file system, after it released what nobody owns. How many it released. */
async function assertAllOwned(scene: Scene, where: string): Promise<number> {
  const { images, released } = await list(scene)
  const points = new Set((await scene.repository.points()).map(({ id }) => id))
  for (const image of images) {
    const { use, label } = image
    assert.ok(use.kind === 'base' && points.has(use.pointId), `${where}: nobody owns ${label}`)
  }
  assert.deepEqual(images.map(({ id }) => id).toSorted(), namesOf(scene.mounted), `${where}: files are left`)
  return released.length
}

/** The next run leaves the bases of its point, and what it says of them is what they hold. */
async function assertNextRunKeeps(scene: Scene, names: readonly string[], where: string): Promise<void> {
  const { repository, mounted } = scene
  const pointId = await runMust(scene, names)
  const { images, released } = await list(scene)
  assert.deepEqual(released, [], `${where}: the run left something behind`)
  assert.deepEqual(images.map(({ id }) => id).toSorted(), namesOf(mounted), where)
  const bases = images.filter(({ use }) => use.kind === 'base' && use.pointId === pointId)
  assert.equal(bases.length, names.length, `${where}: ${JSON.stringify(images)}`)
  const ofLineage = images.filter(({ lineageKey }) => lineageKey === bases[0]?.lineageKey)
  assert.deepEqual(ofLineage.length, names.length, `${where}: an older base is held`)
  const contents = bases.map(({ label }) => readFileSync(label))
  for (const name of names) {
    const target = repository.folder.join('restored')
    await repository.restore([pointId, '--object', name, '--to', target, '--overwrite'])
    const restored = readFileSync(target)
    assert.ok(
      contents.some((content) => content.equals(restored)),
      `${where}: ${name} is not what its base holds`,
    )
  }
}

/** The id of the point of a run that is not killed. */
async function runMust(scene: Scene, names: readonly string[]): Promise<string> {
  const { exitCode, json, stdout, stderr } = await scene.repository.run([...words(scene, names), '--json'])
  const isDegraded = exitCode === 3 && /BASE_IMAGE_LOST|MOMENTS_DIFFER/.test(stdout)
  assert.ok(exitCode === 0 || isDegraded, `${stdout}${stderr}`)
  return v.parse(v.object({ pointId: v.string() }), json).pointId
}

async function list({
  repository,
  mounted,
}: Scene): Promise<{ readonly images: readonly Image[]; readonly released: readonly Image[] }> {
  const { exitCode, json, stderr } = await repository.run(['images', 'list', '--json'])
  assert.equal(exitCode, 0, stderr)
  const { images, released } = v.parse(listSchema, json)
  const isHere = ({ label }: Image): boolean => label.startsWith(`${mounted.path}/`)
  return { images: images.filter(isHere), released: released.filter(isHere) }
}

/** Of the clones that have one. */
function namesOf(mounted: CloningFileSystem): readonly string[] {
  const folder = mounted.join('.icecore')
  return existsSync(folder) ? readdirSync(folder).toSorted() : []
}
