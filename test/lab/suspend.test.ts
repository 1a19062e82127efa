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
const THIN = ['one', 'two']
const THICK = ['three', 'four']
const RESUME_TIMEOUT_MS = 60_000

test(
  'volumes that icecore suspended go on when it is killed, and when it takes too long',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const wanted = { diskMiB: 224, poolMiB: 96, sizeMiB: 24, thin: THIN, thick: THICK }
    const { host, group, files } = await startHostWithVolumes(lab, wanted)
    const load = await startWriteLoad(host, { paths: files, seed: 1, spanBytes: 2 ** 20 })
    const start = (how: string, deadlineMs: number, names = THIN): ReturnType<LabHost['start']> =>
      host.start([process.execPath, SCRIPT, how, String(deadlineMs), ...names])

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
      const script = start('freeze-thin', 1000)
      await script.untilStdout('in the window')
      await resumed(host)
      const { stdout, stderr } = await script.ended
      assert.match(stdout, /FREEZE_FAILED .*longer than 1 s/, stdout + stderr)
      assert.deepEqual(await snapshots(group), [])
    })

    for (const [kind, names] of Object.entries({ thin: THIN, classic: THICK })) {
      await context.test(
        `after a SIGKILL in the window; the next look removes what is half made: ${kind}`,
        async () => {
          const script = start(`freeze-${kind}`, 3_600_000, names)
          await script.untilStdout('in the window')
          script.signal('SIGKILL')
          await resumed(host)
          assert.equal((await snapshots(group)).length, 2)
          await assertCleared(host, group)
        },
      )
    }

    await context.test('LVM removes a snapshot that was emptied and has no other table ready', async () => {
      const script = start('freeze-classic', 3_600_000, THICK)
      await script.untilStdout('in the window')
      script.signal('SIGKILL')
      await resumed(host)
      for (const name of await snapshots(group)) {
        await host.output(['dmsetup', 'clear', `vg0-${name.replaceAll('-', '--')}`])
      }
      await assertCleared(host, group)
    })

    await context.test('the pool and the group are as good as before', async () => {
      await group.makeSnapshot('later', { volume: 'one' })
      await group.remove('later')
      await host.output(['lvcreate', '--quiet', '--snapshot', '--size', '4m', '--name', 'later', 'vg0/three'])
      await group.remove('later')
    })
    assert.ok((await load.stop()) > 0)
  },
)

async function assertCleared(host: LabHost, group: VolumeGroup): Promise<void> {
  const listed = await icecoreOnHost(host, ['images', 'list'])
  assert.equal(listed.exitCode, 0, listed.stdout + listed.stderr)
  assert.deepEqual(await snapshots(group), [], listed.stdout + listed.stderr)
}

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
