import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eventually } from '../../support/eventually.ts'
import { enrolAgent } from '../lab-agent.ts'
import { wwidOf } from '../lab-disk.ts'
import { openLab } from '../lab.ts'
import { MultipathMap, pathsOf } from '../multipath-map.ts'
import { needsLab } from '../needs-lab.ts'
import { assertRun, backUpFromMover, backUpWhile } from '../san-backup.ts'
import { makeSceneVolumes, openSanScene } from '../san-scene.ts'

const HOME = '/dev/vg0/home'
const WWID = wwidOf('lun-1')

test(
  'two paths without a map are refused; a map is read by, also when a path fails half-way',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openSanScene(lab, { lunsMiB: [288], moverPaths: 2 })
    const home = { sizeMiB: 96, dataMiB: 48 }
    await makeSceneVolumes(scene, scene.ownerDisks, { poolMiB: 240, home })
    await enrolAgent(scene)
    await eventually(async () => (await pathsOf(scene.mover, WWID)).length === 2)

    await context.test('two plain paths are no one disk', async () => {
      const before = await scene.state()
      const says = /Cannot tell which disk is .*2 have this name \(\/dev\/sd[a-z]+, \/dev\/sd[a-z]+\)/
      await backUpFromMover(scene, HOME, { exitCode: 4, says, words: ['--transport', 'san'] })
      assert.deepEqual(await scene.state(), before)
    })

    const map = await MultipathMap.make(scene.mover, WWID)
    const [first = '', second = ''] = map.paths
    scene.moverDisks = [map.path]
    await context.test('a map over them is read by', async () => {
      const report = await backUpFromMover(scene, HOME, { exitCode: 0, mode: 'full' })
      await scene.assertRight(report?.pointId)
    })
    await context.test('a path that fails half-way ends nothing', async () => {
      await scene.write('/mnt/home/data', 40)
      const result = await backUpWhile(scene, HOME, async () => await map.losePath(first))
      const report = assertRun(result, { exitCode: 0, mode: 'incremental' })
      assert.equal(await map.activeCount(), 1)
      await scene.assertRight(report?.pointId)
    })
    await context.test('the last path that fails ends the run, and its return the trouble', async () => {
      await scene.write('/mnt/home/data', 40)
      const before = await scene.state()
      const result = await backUpWhile(scene, HOME, async () => await map.losePath(second))
      assertRun(result, { exitCode: 4, says: /SOURCE_READ_FAILED/ })
      for (const path of map.paths) await map.bringBack(path)
      assert.deepEqual(await scene.state(), before)
      const report = await backUpFromMover(scene, HOME, { exitCode: 0, mode: 'incremental' })
      await scene.assertRight(report?.pointId)
    })
  },
)
