import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup } from './volume-group.ts'

const SCRIPT = fileURLToPath(new URL('guest/pool-repair.ts', import.meta.url))

test(
  'an agent notices that a repair of the pool changed what its snapshots are made of',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const disk = { image: lab.diskImage('one', 128), mode: 'own', serial: 'one' } as const
    await using host = await startHost(lab, { name: 'a', memoryMiB: 768, disks: [disk] })
    const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
    await group.makeThinPool('pool', { sizeMiB: 32 })
    await group.makeThinVolume('home', { pool: 'pool', sizeMiB: 16 })
    const fill = ['if=/dev/urandom', 'bs=1M', 'count=8', 'conv=fsync', 'status=none']
    await host.output(['dd', ...fill, 'of=/dev/vg0/home'])
    const repaired = await host.runNode(SCRIPT, [])
    context.diagnostic(repaired.stdout)
    assert.equal(repaired.exitCode, 0, `${repaired.stdout}${repaired.stderr}`)
  },
)
