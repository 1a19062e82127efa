import assert from 'node:assert/strict'
import { test } from 'node:test'

import { timedIcecore } from '../icecore-on-host.ts'
import { enrolAgent } from '../lab-agent.ts'
import { openLab } from '../lab.ts'
import type { LabHost } from '../lab-host.ts'
import { needsLab } from '../needs-lab.ts'
import { assertRun, backUpFromMover, backupWords } from '../san-backup.ts'
import { makeSceneVolumes, openSanScene } from '../san-scene.ts'
import { noteStartedPrograms } from '../started-programs.ts'
import { cpuSeconds, diskBytes, type CpuSeconds } from '../usage.ts'
import { startWriteLoad } from '../write-load.ts'

const DATA_MIB = 8192
/** A pool that is over 95 % full is not frozen. */
const ROOM_MIB = 2048
const MIB = 1024 * 1024
/** Nothing of it depends on the size of the data, and a lab host is slow to start LVM's programs. */
const READ_SHARE_MAX = 0.01

test(
  'what a backup off the host costs the host: bytes of its disks, seconds of its processor',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openSanScene(lab, {
      lunsMiB: [DATA_MIB + ROOM_MIB + 1024],
      repositoryMiB: DATA_MIB + ROOM_MIB,
    })
    await makeSceneVolumes(scene, scene.ownerDisks, {
      poolMiB: DATA_MIB + ROOM_MIB,
      home: { sizeMiB: DATA_MIB + 384, dataMiB: DATA_MIB },
      thick: { sizeMiB: 32, dataMiB: 8 },
    })
    const { owner, mover } = scene
    const agent = await enrolAgent(scene)
    const ofAgent = await agent.processGroup()
    const load = await startWriteLoad(owner, { paths: ['/mnt/thick/data'], seed: 1, pauseMs: 200 })
    // An agent serves for months: what it loads and compiles with its first order is told apart.
    for (const mode of ['dry run', 'full', 'incremental']) {
      const before = await costs(owner, scene.ownerDisks, ofAgent)
      const words = backupWords('/dev/vg0/home', ...(mode === 'dry run' ? ['--dry-run'] : []))
      const run = await timedIcecore(mover, words, { ICECORE_REPOSITORY: scene.repository })
      const report = mode === 'dry run' ? null : assertRun(run.result, { exitCode: 0, mode })
      assert.equal(run.result.exitCode, 0, run.result.stderr)
      const moverSeconds = run.cpuSeconds
      const after = await costs(owner, scene.ownerDisks, ofAgent)
      const readBytes = after.read - before.read
      const share = readBytes / (DATA_MIB * MIB)
      const own = after.own - before.own
      const ended = after.ended - before.ended
      context.diagnostic(
        `${mode}: the owner's disks read ${readBytes} bytes, ${(share * 100).toFixed(2)} % of the data; ` +
          `processor: agent ${own.toFixed(1)} s, LVM for it ${ended.toFixed(1)} s, mover ${moverSeconds.toFixed(1)} s; ` +
          `${report?.durationMs ?? '-'} ms`,
      )
      if (mode === 'full') assert.ok(share < READ_SHARE_MAX, `${share}`)
      if (mode !== 'dry run') await scene.write('/mnt/home/data', 16)
    }
    assert.ok((await load.stop()) > 0)
  },
)

/** LVM makes the snapshot, shows it, tags it, removes the one before, and hides it: nothing is asked of it. */
const STARTED = {
  full: ['lvcreate', 'lvchange', 'lvchange', 'lvchange'],
  incremental: ['lvcreate', 'lvchange', 'lvchange', 'lvremove', 'lvchange'],
}

test('what programs an agent starts for a backup', { skip: needsLab() }, async (context) => {
  await using lab = openLab()
  const scene = await openSanScene(lab, { lunsMiB: [128] })
  await makeSceneVolumes(scene, scene.ownerDisks, { poolMiB: 64, home: { sizeMiB: 48, dataMiB: 8 } })
  const agent = await enrolAgent(scene)
  const started = noteStartedPrograms(lab, scene.owner)
  await agent.kill()
  await agent.start(started.environment)
  await started.take()
  for (const mode of ['full', 'incremental'] as const) {
    await backUpFromMover(scene, '/dev/vg0/home', { exitCode: 0, mode })
    const lines = await started.take()
    context.diagnostic(`${mode}: ${lines.length} programs\n${lines.join('\n')}`)
    assert.deepEqual(
      lines.map((line) => line.split(' ')[1]),
      STARTED[mode],
      lines.join('\n'),
    )
    await scene.write('/mnt/home/data', 2)
  }
})

async function costs(
  host: LabHost,
  disks: readonly string[],
  processGroup: number,
): Promise<CpuSeconds & { readonly read: number }> {
  const { read } = await diskBytes(host, disks)
  return { read, ...(await cpuSeconds(host, processGroup)) }
}
