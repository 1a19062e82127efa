import assert from 'node:assert/strict'
import { test } from 'node:test'

import { enrolAgent } from '../lab-agent.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { assertRun, backUpFromMover, backUpWhile } from '../san-backup.ts'
import { makeSceneVolumes, openSanScene, type SanScene } from '../san-scene.ts'

const HOME = '/dev/vg0/home'
const DATA = '/mnt/home/data'

test(
  'a pool that is repaired in the middle of a backup: no point, then everything is compared, then all is as before',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const scene = await openSanScene(lab, { lunsMiB: [288] })
    await makeSceneVolumes(scene, scene.ownerDisks, {
      poolMiB: 224,
      home: { sizeMiB: 80, dataMiB: 48 },
    })
    const agent = await enrolAgent(scene)
    const full = await backUpFromMover(scene, HOME, { exitCode: 0, mode: 'full' })
    await scene.assertRight(full?.pointId)
    const [base] = await scene.snapshots()

    await scene.write(DATA, 40)
    const result = await backUpWhile(scene, HOME, async () => {
      // As long as a run reads, the kernel does not let its snapshot go, and so not the pool.
      const own = (await scene.snapshots()).find((name) => name !== base)
      const refused = await scene.owner.run(['lvchange', '-an', `vg0/${own ?? ''}`])
      assert.notEqual(refused.exitCode, 0)
      assert.match(refused.stderr, /in use/)
      await agent.kill()
      await repair(scene)
      await agent.start()
    })
    assert.ok(result.exitCode === 4 || result.exitCode === 7, result.stdout + result.stderr)
    assertRun(result, { exitCode: result.exitCode, says: /IMAGE_LOST|IMAGE_MISSING|CONNECTION_FAILED/ })
    assert.deepEqual(await scene.snapshots(), [base])

    const compared = await backUpFromMover(scene, HOME, { exitCode: 3, says: /BASE_IMAGE_LOST/ })
    await scene.assertRight(compared?.pointId)
    await scene.write(DATA, 2)
    const next = await backUpFromMover(scene, HOME, { exitCode: 0, mode: 'incremental' })
    await scene.assertRight(next?.pointId)
  },
)

/** As LVM's manual has it: with the pool not active, and then all is there again. */
async function repair({ owner }: SanScene): Promise<void> {
  const steps = [
    'umount /mnt/home',
    'vgchange --quiet -an vg0',
    'lvconvert --quiet --yes --repair vg0/pool',
    'vgchange --quiet -ay vg0',
    'mount /dev/vg0/home /mnt/home',
  ]
  await owner.output(['sh', '-ec', steps.join('\n')])
}
