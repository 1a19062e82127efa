import assert from 'node:assert/strict'
import { test } from 'node:test'

import { mountFileSystem } from '../file-system.ts'
import { enrolAgent } from '../lab-agent.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { assertRun, backUpFromMover, backUpWhile } from '../san-backup.ts'
import { makeSceneVolumes, openSanScene } from '../san-scene.ts'

const HOME = '/dev/vg0/home'
const DATA = '/mnt/home/data'

test(
  'an owner that loses its power in the middle of a backup: no point, nothing is left over, and the next run works',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const scene = await openSanScene(lab, { lunsMiB: [288] })
    await makeSceneVolumes(scene, scene.ownerDisks, { poolMiB: 224, home: { sizeMiB: 80, dataMiB: 32 } })
    const agent = await enrolAgent(scene)
    const full = await backUpFromMover(scene, HOME, { exitCode: 0, mode: 'full' })
    await scene.assertRight(full?.pointId)
    const before = await scene.state()

    await scene.write(DATA, 40)
    await agent.save()
    const result = await backUpWhile(scene, HOME, async () => {
      await scene.restartOwner()
      await mountFileSystem(scene.owner, HOME)
      await agent.bringBack()
      await agent.start()
    })
    assert.ok(result.exitCode === 4 || result.exitCode === 7, result.stdout + result.stderr)
    assertRun(result, { exitCode: result.exitCode, says: /IMAGE_MISSING|IMAGE_LOST|CONNECTION_FAILED/ })
    assert.deepEqual(await scene.state(), before)

    await scene.write(DATA, 4)
    const next = await backUpFromMover(scene, HOME, { exitCode: 0, mode: 'incremental' })
    await scene.assertRight(next?.pointId)
  },
)
