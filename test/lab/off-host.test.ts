import assert from 'node:assert/strict'
import { test } from 'node:test'

import { enrolAgent } from './lab-agent.ts'
import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { backUpFromMover } from './san-backup.ts'
import { makeSceneVolumes, openSanScene } from './san-scene.ts'
import { cpuSeconds, diskBytes } from './usage.ts'

const HOME = '/dev/vg0/home'

test(
  'a mover backs up over the SAN what the agent of another host freezes, and every byte is right',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openSanScene(lab, { lunsMiB: [160] })
    const home = { sizeMiB: 64, dataMiB: 32 }
    await makeSceneVolumes(scene, scene.ownerDisks, { poolMiB: 112, home })
    const agent = await enrolAgent(scene)
    for (const mode of ['full', 'incremental']) {
      const before = await diskBytes(scene.owner, scene.ownerDisks)
      const ofMoverBefore = await diskBytes(scene.mover, scene.moverDisks)
      const report = await backUpFromMover(scene, HOME, { exitCode: 0, mode, transport: 'san' })
      const after = await diskBytes(scene.owner, scene.ownerDisks)
      const ofMoverAfter = await diskBytes(scene.mover, scene.moverDisks)
      const [byOwner, byMover] = [after.read - before.read, ofMoverAfter.read - ofMoverBefore.read]
      context.diagnostic(`${mode}: the owner's disks read ${byOwner} bytes, the mover's ${byMover}`)
      assert.ok(report !== null)
      // The mover read on its own path all that was read.
      const [object] = report.objects
      assert.ok(byMover >= (object?.readBytes ?? Number.NaN), `${byMover} of ${object?.readBytes}`)
      if (mode === 'full') assert.ok(byOwner < byMover / 2, `${byOwner} of ${byMover}`)
      assert.equal(await scene.restoredSha256(report.pointId), await scene.frozenSha256('home'))
      await scene.write('/mnt/home/data', 2)
    }
    const { own, ended } = await cpuSeconds(scene.owner, await agent.processGroup())
    context.diagnostic(`processor: agent ${own.toFixed(1)} s, LVM for it ${ended.toFixed(1)} s`)
    const calls = await agent.calls()
    assert.ok(calls.includes('Freeze') && calls.includes('Challenge'), calls.join(' '))
    assert.ok(!calls.includes('ReadExtents'), calls.join(' '))
  },
)
