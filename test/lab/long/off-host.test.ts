import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { eventually } from '../../support/eventually.ts'
import { mountFileSystem } from '../file-system.ts'
import { enrolAgent, FROZEN_FILE, type LabAgent } from '../lab-agent.ts'
import { wwidOf } from '../lab-disk.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { assertRun, backUpFromMover, backUpWhile } from '../san-backup.ts'
import { makeSceneVolumes, openSanScene, type SanScene } from '../san-scene.ts'
import { makeVolumeGroup } from '../volume-group.ts'
import { startWriteLoad, type WriteLoad } from '../write-load.ts'

const HOME = '/dev/vg0/home'
const THICK = '/dev/vg0/thick'
const DATA = '/mnt/home/data'
/** A little more than a mover asks for. */
const LEASE_MS = 190_000

/** What a point has to be restored to. */
type Truth = { readonly pointId: string; readonly sha256: string; readonly of: string }

/** A scene, its agent, a writer that never rests, and what is known of the points. */
type Story = {
  readonly scene: SanScene
  readonly agent: LabAgent
  readonly truths: Truth[]
  load: WriteLoad
}

test(
  'off the host: a year of a SAN in one go, every point equal to what was frozen',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openSanScene(lab, { lunsMiB: [512, 192], writableLunsMiB: [176] })
    const [first = '', second = '', writable = ''] = scene.ownerDisks
    await makeSceneVolumes(scene, [first, second], {
      poolMiB: 384,
      home: { sizeMiB: 160, dataMiB: 64 },
      thick: { sizeMiB: 64, dataMiB: 24 },
    })
    const other = await makeVolumeGroup(scene.owner, 'vg1', [writable])
    await other.makeVolume('third', 160)
    const agent = await enrolAgent(scene)
    const story: Story = { scene, agent, truths: [], load: await startLoad(scene) }

    await context.test('a full backup, read on the mover’s own path', async () => {
      await backUpRight(story, { mode: 'full', of: 'the full backup' })
    })
    await context.test('an incremental', async () => {
      await scene.write(DATA, 4)
      await backUpRight(story, { mode: 'incremental', of: 'the first incremental' })
    })
    await testMoves(context, story)
    await testFalseDisks(context, story)
    await testFailures(context, story)
    await testClassic(context, story)
    await testRestores(context, story)
    assert.ok((await story.load.stop()) > 0)
  },
)

async function startLoad(scene: SanScene): Promise<WriteLoad> {
  const paths = [DATA, '/mnt/thick/data']
  return await startWriteLoad(scene.owner, { paths, seed: 5, spanBytes: 2 ** 21, pauseMs: 200 })
}

async function backUpRight(
  story: Story,
  wanted: { readonly mode: string; readonly of: string; readonly exitCode?: number; readonly says?: RegExp },
): Promise<void> {
  const report = await backUpFromMover(story.scene, HOME, { exitCode: 0, ...wanted })
  await remember(story, report?.pointId, wanted.of)
}

async function remember({ scene, truths }: Story, pointId: string | undefined, of: string): Promise<void> {
  assert.ok(pointId !== undefined)
  truths.push({ pointId, sha256: await scene.frozenSha256('home'), of })
}

/** The sequence lock over storage: what LVM moves while it is read is read again where it lies then. */
async function testMoves(context: TestContext, story: Story): Promise<void> {
  const { scene } = story
  await context.test('pvmove in the middle of an incremental', async () => {
    await scene.write(DATA, 40)
    const [from = '', to = ''] = scene.ownerDisks
    const result = await backUpWhile(scene, HOME, async () => {
      await scene.owner.output(['pvmove', '--interval', '1', '--name', 'pool_tdata', `${from}:0-31`, to])
    })
    const report = assertRun(result, { exitCode: 0, mode: 'incremental' })
    assert.ok((report?.objects[0]?.image?.movedBytes ?? 0) > 0, JSON.stringify(report))
    await remember(story, report?.pointId, 'the incremental with pvmove')
  })
  await context.test('lvextend of the pool’s data volume in the middle of an incremental', async () => {
    await scene.write(DATA, 40)
    const result = await backUpWhile(scene, HOME, async () => {
      await scene.owner.output(['lvextend', '--quiet', '--size', '+32m', 'vg0/pool'])
    })
    const report = assertRun(result, { exitCode: 0, mode: 'incremental' })
    await remember(story, report?.pointId, 'the incremental with lvextend')
  })
}

/** Neither may store a byte: the challenge tells what the identity does not. */
async function testFalseDisks(context: TestContext, story: Story): Promise<void> {
  const { scene } = story
  const { lab } = scene
  await context.test('another disk behind the identity is refused, and nothing is stored', async () => {
    await assertRefused(story, lab.diskImage('foreign', 512))
    await backUpRight(story, { mode: 'incremental', of: 'the run after the foreign disk' })
  })
  await context.test(
    'a path that shows what was there before is refused, and nothing is stored',
    async () => {
      await scene.owner.output(['sync'])
      const stale = `${lab.folder}/stale.img`
      copyFileSync(`${lab.folder}/lun-1.img`, stale)
      await scene.write(DATA, 48)
      await assertRefused(story, stale)
      await backUpRight(story, { mode: 'incremental', of: 'the run after the stale path' })
    },
  )
}

/** The mover sees this image behind the identity of the LUN, for one run. */
async function assertRefused({ scene }: Story, image: string): Promise<void> {
  const before = await stateOf(scene)
  await scene.luns.swapForMover('lun-1', image)
  try {
    await backUpFromMover(scene, HOME, { exitCode: 4, says: /CHALLENGE_FAILED/ })
  } finally {
    await scene.luns.swapBack('lun-1')
  }
  assert.deepEqual(await stateOf(scene), before)
}

/** What a run that is refused must leave as it was: points, packs, snapshots. */
async function stateOf(scene: SanScene): Promise<unknown> {
  const points = await scene.onMover('points', '--json')
  const packs = await scene.mover.output(['find', `${scene.repository}/packs`, '-type', 'f'])
  return { points: points.stdout, packs, snapshots: await scene.snapshots() }
}

async function testFailures(context: TestContext, story: Story): Promise<void> {
  const { scene, agent } = story
  await context.test('an agent that is killed in the middle: no point, and the next run works', async () => {
    await scene.write(DATA, 40)
    const result = await backUpWhile(scene, HOME, async () => agent.kill())
    assertRun(result, { exitCode: 7 })
    await agent.start()
    await backUpRight(story, { mode: 'incremental', of: 'the run after the agent was killed' })
    assert.equal((await scene.snapshots()).length, 1)
  })
  await context.test('a network that is cut in the middle: no point, and the next run works', async () => {
    await scene.write(DATA, 40)
    const result = await backUpWhile(scene, HOME, async () => await scene.cutNetwork())
    assertRun(result, { exitCode: 7 })
    await scene.mendNetwork()
    await backUpRight(story, { mode: 'incremental', of: 'the run after the network was cut' })
  })
  await context.test(
    'a lease that ends while the mover stands still: no point, and the next run works',
    async () => {
      await scene.write(DATA, 40)
      const result = await backUpWhile(scene, HOME, async () => {
        await setTimeout(LEASE_MS)
        await eventually(async () => (await scene.snapshots()).length === 1)
      })
      assert.ok(result.exitCode === 4 || result.exitCode === 7, result.stdout + result.stderr)
      await backUpRight(story, { mode: 'incremental', of: 'the run after the lease had ended' })
    },
  )
  await context.test('an owner whose power is cut: the base is found again', async () => {
    await agent.save()
    await scene.restartOwner()
    for (const name of ['home', 'thick']) await mountFileSystem(scene.owner, `/dev/vg0/${name}`)
    await agent.bringBack()
    await agent.start()
    story.load = await startLoad(scene)
    await scene.write(DATA, 4)
    await backUpRight(story, { mode: 'incremental', of: 'the run after the power cut' })
  })
}

/** Its extents move with every write: copies of what is overwritten go to the snapshot's store. */
async function testClassic(context: TestContext, story: Story): Promise<void> {
  const { scene, truths } = story
  await context.test('a classic snapshot under full write load', async () => {
    await story.load.stop()
    const paths = ['/mnt/thick/data']
    story.load = await startWriteLoad(scene.owner, { paths, seed: 6, spanBytes: 2 ** 22 })
    const report = await backUpFromMover(scene, THICK, { exitCode: 0, mode: 'full' })
    assert.ok(report !== null)
    const said = readFileSync(`${scene.lab.share}/${FROZEN_FILE}`, 'utf8')
    truths.push({ pointId: report.pointId, sha256: said.split(' ')[0] ?? '', of: 'the classic snapshot' })
    assert.deepEqual((await scene.snapshots()).length, 1, 'only the base of the thin volume is left')
  })
}

async function testRestores(context: TestContext, { scene, truths }: Story): Promise<void> {
  const latest = truths.findLast(({ of }) => of !== 'the classic snapshot') ?? assert.fail()
  for (const [transport, words] of [
    ['san', ['--san-disk', `wwn:${wwidOf('writable-1')}`]],
    ['lan', ['--transport', 'lan']],
  ] as const)
    await context.test(`onto a third volume of the owner, by ${transport}`, async () => {
      const to = ['--agent', 'owner', '--to', '/dev/vg1/third', '--yes', ...words]
      await scene.owner.output([
        'dd',
        'if=/dev/urandom',
        'of=/dev/vg1/third',
        'bs=1M',
        'count=16',
        'conv=fsync',
      ])
      const { exitCode, stdout, stderr } = await scene.onMover('restore', latest.pointId, ...to)
      assert.equal(exitCode, 0, stdout + stderr)
      const sum = await scene.owner.output(['sha256sum', '/dev/vg1/third'])
      assert.equal(sum.split(' ')[0], latest.sha256)
    })
  await context.test('every point is what was frozen', async () => {
    for (const { pointId, sha256, of } of truths)
      assert.equal(await scene.restoredSha256(pointId), sha256, of)
    const check = await scene.onMover('check', '--data')
    assert.equal(check.exitCode, 0, check.stdout + check.stderr)
  })
}
