import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup } from './volume-group.ts'

const SCRIPT = fileURLToPath(new URL('guest/agent-life.ts', import.meta.url))

test(
  'an agent tells what moves of its snapshots, proves what is read, and leaves nothing when it is killed',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const disks = ['one', 'two'].map((serial) => {
      return { image: lab.diskImage(serial, 96), mode: 'own', serial } as const
    })
    await using host = await startHost(lab, { name: 'a', memoryMiB: 768, disks })
    const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda', '/dev/sdb'])
    await group.makeThinPool('pool', { sizeMiB: 32 })
    await group.makeThinVolume('home', { pool: 'pool', sizeMiB: 16 })
    await group.makeVolume('thick', 8)
    const fill = ['if=/dev/urandom', 'bs=1M', 'conv=fsync', 'status=none']
    await host.output(['dd', ...fill, 'of=/dev/vg0/home', 'count=8'])
    await host.output(['dd', ...fill, 'of=/dev/vg0/thick', 'count=8'])
    const life = await host.runNode(SCRIPT, ['thin', 'classic'])
    context.diagnostic(life.stdout)
    assert.equal(life.exitCode, 0, `${life.stdout}${life.stderr}`)

    const holder = host.start([process.execPath, SCRIPT, 'hold'])
    await holder.untilStdout('held')
    holder.signal('SIGKILL')
    await holder.ended
    const restarted = await host.runNode(SCRIPT, ['restart'])
    assert.equal(restarted.exitCode, 0, `${restarted.stdout}${restarted.stderr}`)
    // The base of the thin volume is all that stays.
    assert.match(restarted.stdout, /^left 1$/m)
  },
)
