import assert from 'node:assert/strict'
import { test } from 'node:test'

import { systemClock } from '../../../src/domain/clock.ts'
import { eventually } from '../../support/eventually.ts'
import type { CommandResult } from '../guest-process.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { openRestoreScene, type RestoreScene } from '../restore-scene.ts'

const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS
const HOME = '/dev/vg0/home'
const SIZE_MIB = 24

test(
  'clocks that differ: a run goes on as long as the certificates are good, and says so when they are not',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openRestoreScene(lab, { disksMiB: [96] })
    await scene.group.makeVolume('home', SIZE_MIB)
    await scene.scribble(HOME)

    await context.test('an owner that is two hours ahead', async () => {
      await setClock(scene, 2 * HOUR_MS)
      await assertBackedUp(scene, await backUp(scene))
    })
    await context.test(
      'an owner whose clock jumps in the middle of a run, further than a lease lasts',
      async () => {
        await setClock(scene, 0)
        const run = scene.start(...words(), '--progress', 'json', '--limit-rate', '2MiB/s')
        const said = (): string => run.soFar('stdout') + run.soFar('stderr')
        await eventually(() => /"phase":"(Reading|Comparing)/.test(said()), said)
        await setClock(scene, 5 * HOUR_MS)
        await assertBackedUp(scene, await run.ended)
      },
    )
    for (const [name, skewMs] of [
      ['years ahead', 3 * YEAR_MS],
      ['a year behind', -YEAR_MS],
    ] as const)
      await context.test(`an owner that is ${name}, for which certificates are of another time`, async () => {
        await setClock(scene, skewMs)
        const { exitCode, stdout, stderr } = await backUp(scene)
        assert.equal(exitCode, 7, stdout + stderr)
        assert.match(stdout, /CONNECTION_FAILED/)
        assert.match(stdout, /clock|certificate/)
        context.diagnostic(stdout)
        const held = await scene.owner.output(['lvs', '--noheadings', '-o', 'lv_name', 'vg0'])
        assert.equal(held.trim(), 'home')
      })
    await context.test('and the right time again', async () => {
      await setClock(scene, 0)
      await assertBackedUp(scene, await backUp(scene))
    })
  },
)

function words(): readonly string[] {
  return ['backup', HOME, '--agent', '10.77.0.1', '--transport', 'san', '--json']
}

async function backUp(scene: RestoreScene): Promise<CommandResult> {
  return await scene.run(...words())
}

async function assertBackedUp(
  scene: RestoreScene,
  { exitCode, stdout, stderr }: CommandResult,
): Promise<void> {
  assert.equal(exitCode, 0, stdout + stderr)
  const restored = await scene.run('restore', 'latest', '--to', '/tmp/restored', '--overwrite')
  assert.equal(restored.exitCode, 0, restored.stdout + restored.stderr)
  const found = await scene.mover.output(['sha256sum', '/tmp/restored'])
  assert.equal(found.split(' ')[0], await scene.sha256(HOME, SIZE_MIB * 1024 * 1024))
}

/** The owner's, so far from this machine's. */
async function setClock({ owner }: RestoreScene, aheadMs: number): Promise<void> {
  await owner.output(['date', '--set', `@${Math.floor((systemClock.now().getTime() + aheadMs) / 1000)}`])
}
