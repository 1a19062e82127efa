import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { startHostWithVolumes } from './host-with-volumes.ts'
import { icecoreOnHost } from './icecore-on-host.ts'
import { openLab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { needsLab } from './needs-lab.ts'
import type { VolumeGroup } from './volume-group.ts'
import { startWriteLoad } from './write-load.ts'

const SCRIPT = fileURLToPath(new URL('guest/suspend-and-wait.ts', import.meta.url))
const NAMES = ['one', 'two']
const RESUME_TIMEOUT_MS = 60_000

test(
  'volumes that icecore suspended go on when it is killed, and when it takes too long',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const wanted = { diskMiB: 160, poolMiB: 96, sizeMiB: 24, thin: NAMES }
    const { host, group, files } = await startHostWithVolumes(lab, wanted)
    const load = await startWriteLoad(host, { paths: files, seed: 1, spanBytes: 2 ** 20 })
    const start = (how: string, deadlineMs: number): ReturnType<LabHost['start']> =>
      host.start([process.execPath, SCRIPT, how, String(deadlineMs), ...NAMES])

    await context.test('after a SIGKILL while they are suspended', async () => {
      const script = start('suspend', 3_600_000)
      await script.untilStdout('suspended')
      assert.deepEqual(await suspended(host), ['vg0-one', 'vg0-two'])
      script.signal('SIGKILL')
      await resumed(host)
    })

    await context.test('after the deadline, and icecore hears of it', async () => {
      const script = start('suspend', 1000)
      await script.untilStdout('suspended')
      await resumed(host)
      const { stdout, stderr } = await script.ended
      assert.match(stdout, /FREEZE_FAILED .*longer than 1 s/, stdout + stderr)
    })

    await context.test('after the deadline that a freeze was given, which leaves nothing', async () => {
      const script = start('freeze', 1000)
      await script.untilStdout('in the window')
      await resumed(host)
      const { stdout, stderr } = await script.ended
      assert.match(stdout, /FREEZE_FAILED .*longer than 1 s/, stdout + stderr)
      assert.deepEqual(await snapshots(group), [])
    })

    await context.test(
      'after a SIGKILL between the snapshots; what is half made goes with the next look',
      async () => {
        const script = start('freeze', 3_600_000)
        await script.untilStdout('in the window')
        script.signal('SIGKILL')
        await resumed(host)
        assert.equal((await snapshots(group)).length, 2)
        const listed = await icecoreOnHost(host, ['images', 'list'])
        assert.equal(listed.exitCode, 0, listed.stdout + listed.stderr)
        assert.deepEqual(await snapshots(group), [], listed.stdout + listed.stderr)
        // The pool is as good as before.
        await group.makeSnapshot('later', { volume: 'one' })
        await group.remove('later')
      },
    )
    assert.ok((await load.stop()) > 0)
  },
)

async function snapshots(group: VolumeGroup): Promise<readonly string[]> {
  const rows = await group.report('lvs', 'lv_name')
  return rows.map((row) => row['lv_name'] ?? '').filter((name) => name.startsWith('icecore-'))
}

async function suspended(host: LabHost): Promise<readonly string[]> {
  const states = await host.output(['dmsetup', 'info', '-c', '--noheadings', '-o', 'name,suspended'])
  return states
    .split('\n')
    .filter((line) => line.endsWith(':Suspended'))
    .map((line) => line.split(':')[0] ?? '')
    .toSorted()
}

async function resumed(host: LabHost): Promise<void> {
  const deadline = performance.now() + RESUME_TIMEOUT_MS
  for (;;) {
    const names = await suspended(host)
    if (names.length === 0) return
    assert.ok(performance.now() < deadline, `still suspended: ${names.join(' ')}`)
    await setTimeout(100)
  }
}
