import assert from 'node:assert/strict'
import { test } from 'node:test'

import { enrolAgent } from '../lab-agent.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { assertRun, backUpFromMover, backUpWhile } from '../san-backup.ts'
import { makeSceneVolumes, openSanScene } from '../san-scene.ts'

const MIB = 1024 * 1024
const HOME = '/dev/vg0/home'
/** In the middle of the pool's data, far behind what is read when the run is stopped. */
const BROKEN = { offsetMiB: 76, lengthMiB: 8 }

test(
  'a part of a LUN that fails half-way ends the run with its place, and nothing of it is stored',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const scene = await openSanScene(lab, { lunsMiB: [192] })
    const home = { sizeMiB: 128, dataMiB: 96 }
    await makeSceneVolumes(scene, scene.ownerDisks, { poolMiB: 144, home })
    await enrolAgent(scene)
    const before = await scene.state()
    const result = await backUpWhile(scene, HOME, async () => {
      await scene.luns.failForMover('lun-1', BROKEN)
    })
    assertRun(result, { exitCode: 4, says: /SOURCE_READ_FAILED/ })
    const [disk = ''] = scene.moverDisks
    const sentence = /"message": ?"((?:[^"\\]|\\.)*)"/.exec(result.stdout)?.[1] ?? ''
    const place = /^Cannot read \\"(.*)\\" at offset (\d+), length (\d+): /.exec(sentence)
    const [, path, offset, length] = place ?? assert.fail(result.stdout)
    assert.equal(path, disk)
    const end = (BROKEN.offsetMiB + BROKEN.lengthMiB) * MIB
    assert.ok(Number(offset) < end && Number(offset) + Number(length) > BROKEN.offsetMiB * MIB, sentence)
    assert.deepEqual(await scene.state(), before)

    await scene.luns.swapBack('lun-1')
    const report = await backUpFromMover(scene, HOME, { exitCode: 0, mode: 'full' })
    await scene.assertRight(report?.pointId)
    const check = await scene.onMover('check', '--data')
    assert.equal(check.exitCode, 0, check.stdout + check.stderr)
  },
)
